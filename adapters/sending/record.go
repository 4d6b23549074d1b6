package sending

import (
	"errors"
	"slices"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/personal"
)

// record makes results durable. A server's words about somebody who has been
// erased meanwhile can no longer be kept; the result can.
func (g *segment) record(results []delivery.Result) error {
	if len(results) == 0 {
		return nil
	}
	c := commands.RecordResults{Campaign: g.Campaign, Segment: g.number, Worker: g.worker, Results: results}
	_, err := g.do("record results", c)
	if errors.Is(err, eventlog.ErrErased) {
		c.Results = wordless(results)
		_, err = g.do("record results", c)
	}
	return err
}

func wordless(results []delivery.Result) []delivery.Result {
	out := slices.Clone(results)
	for i := range out {
		out[i].Text = personal.Text{}
	}
	return out
}

func (g *segment) withheld(r delivery.Recipient, why delivery.Reason) delivery.Withheld {
	return delivery.Withheld{Person: r.Person, Campaign: g.Campaign, Ordinal: r.Ordinal, Reason: why}
}

// withhold records who does not get the campaign, and why.
func (g *segment) withhold(sends []delivery.Withheld) error {
	if len(sends) == 0 {
		return nil
	}
	_, err := g.do("withhold", commands.WithholdSends{
		Campaign: g.Campaign, Segment: g.number, Worker: g.worker, Sends: sends,
	})
	if err == nil {
		g.sender.metrics.withheld(len(sends))
	}
	return err
}

// recall records of a chunk whose transmission has not begun that nothing left.
func (g *segment) recall(chunk []candidate) error {
	var results []delivery.Result
	for _, c := range chunk {
		if at, _ := g.state().Of(c.Ordinal, c.Person); at == delivery.Pending {
			r, _ := g.state().Judge(c.Recipient, recalled, 1)
			results = append(results, r)
		}
	}
	g.sender.metrics.sends.WithLabelValues(sendResults[delivery.NotSent]).Add(float64(len(results)))
	return g.record(results)
}
