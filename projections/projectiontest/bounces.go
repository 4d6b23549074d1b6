package projectiontest

import (
	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// bounces are of recipients whose messages may not have left, too.
func (d *draw) bounces() {
	id := d.of(Person, 4)
	stream := subscriber.Stream(id)
	if d.erased[id] || !d.has(stream) {
		return
	}
	of, ordinal := d.of(Campaign, 2), rapid.SampledFrom([]int{0, 2046, 2048, -1}).Draw(d.T, "ordinal")
	kind := rapid.SampledFrom(bounce.Kinds).Draw(d.T, "kind")
	d.Add(d.gap, d.account, stream, id, rapid.SampledFrom([]any{
		bounce.Received{Campaign: of, Ordinal: ordinal, Kind: kind, Source: bounce.SMTP, At: d.at, Diagnostic: d.sealed()},
		bounce.Received{Message: d.of(Event, 2), Kind: kind, Source: bounce.Intake, At: d.at},
		bounce.Complained{Campaign: of, Ordinal: ordinal, Feedback: "abuse", Source: bounce.SES, At: d.at},
	}).Draw(d.T, "report"))
}
