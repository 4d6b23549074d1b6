package projectiontest

import (
	"time"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/contactimport"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/privacyrequest"
)

func (d *draw) imports() {
	id := d.of(Import, 2)
	stream := contactimport.Stream(id)
	if !d.has(stream) {
		d.add(stream, contactimport.Started{List: d.of(List, 2), Purposes: consent.Purposes[:2], Source: "fair"})
		return
	}
	line := d.n(100)
	d.add(stream, rapid.SampledFrom([]any{
		contactimport.RowsRejected{Rows: []contactimport.RejectedRow{{Line: line, Code: "bad_email", Column: "email"}}},
		contactimport.Progressed{Line: line, Bytes: int64(line) * 50, SHA256: "00", Counts: contactimport.Counts{Added: line}},
		contactimport.Finished{Line: line, Bytes: int64(line) * 50, SHA256: "00", Counts: contactimport.Counts{Added: line}},
		contactimport.Failed{Line: line, Code: "bad_gzip"},
	}).Draw(d.T, "import"))
}

func (d *draw) campaigns() {
	stream := campaign.Stream(d.of(Campaign, 2))
	settings := campaign.Settings{Name: "campaign", Lists: []domain.ID{d.of(List, 2)}, FromEmail: "news@example.org"}
	if !d.has(stream) {
		d.add(stream, campaign.Drafted{Settings: settings})
		return
	}
	d.add(stream, rapid.SampledFrom([]any{
		campaign.Edited{Settings: settings},
		campaign.Scheduled{StartAt: time.Date(2026, 6, 1+d.n(3), 0, 0, 0, 0, time.UTC)},
		campaign.Unscheduled{Reason: "nobody may be mailed"},
		campaign.Started{Content: campaign.Content{SHA256: "00", Links: []string{"https://example.org/a", "https://example.org/b"}}},
		campaign.AudienceFrozen{Position: 9, Recipients: 5000, Segments: 2, SHA256: "00"},
		campaign.Paused{Reason: "lunch"},
		campaign.Resumed{},
		campaign.Throttled{PerHour: 60 * d.n(3)},
		campaign.Cancelled{},
		campaign.Finished{Sent: 3, Unknown: 1},
		campaign.ResendRequested{},
	}).Draw(d.T, "campaign"))
}

// sends are around the borders of chunks.
func (d *draw) sends() {
	id, segment := d.of(Campaign, 2), d.n(2)
	stream := delivery.Stream(id, segment)
	first := 2045 + 6*segment
	if !d.has(stream) {
		all := make(delivery.Subjects, 6)
		for i := range all {
			all[i] = recipient(id, first+i)
		}
		d.add(stream, delivery.Planned{Campaign: id, First: first, Subjects: all})
		return
	}
	ordinal, n := first+d.n(5), 1+d.n(2)
	ordinals := []int{ordinal, ordinal + 1}[:n]
	people := delivery.Subjects{recipient(id, ordinal), recipient(id, ordinal+1)}[:n]
	data := rapid.SampledFrom([]any{
		delivery.Claimed{Worker: ID(Worker, d.n(2))},
		delivery.Reopened{Resend: 1},
		delivery.Intended{Campaign: id, Subjects: people, Ordinals: ordinals, Consents: []event.Position{7, 8}[:n]},
		delivery.Intended{Campaign: id, Subjects: people, Ordinals: ordinals, Consents: []event.Position{8, 7}[:n]},
		delivery.Withheld{Campaign: id, Ordinal: ordinal, Reason: delivery.Revoked},
		delivery.Accepted{Campaign: id, Subjects: people, Ordinals: ordinals, Code: 250},
		delivery.Deferred{Campaign: id, Ordinal: ordinal, Code: 451, Enhanced: "4.7.1"},
		delivery.Deferred{Campaign: id, Ordinal: ordinal},
		delivery.Failed{Campaign: id, Ordinal: ordinal, Code: 550, Reason: delivery.Rejected},
	}).Draw(d.T, "send")
	var about domain.ID
	if _, shared := data.(event.Shared); !shared {
		about = recipient(id, ordinal)
	}
	d.Add(d.gap, d.account, stream, about, data)
}

// recipient is who has the ordinal in a campaign: somebody of its account.
func recipient(campaign domain.ID, ordinal int) domain.ID {
	return ID(Person, ordinal%12*2+int(campaign[15]+1)%2)
}

func (d *draw) engagement() {
	id := d.of(Campaign, 2)
	ordinal := rapid.SampledFrom([]int{0, 2047, 2048, 8191, 8192, -1}).Draw(d.T, "ordinal")
	machine := rapid.SampledFrom([]engagement.Machine{engagement.MaybeHuman, engagement.ImageProxy}).Draw(d.T, "machine")
	data := rapid.SampledFrom([]any{
		engagement.Opened{Campaign: id, Ordinal: ordinal, Machine: machine},
		engagement.Clicked{Campaign: id, Ordinal: ordinal, Link: d.n(3), Machine: machine},
		engagement.Unsubscribed{Campaign: id, Ordinal: ordinal},
	}).Draw(d.T, "hit")
	d.Add(d.gap, d.account, engagement.Stream(id, ID(Worker, d.n(2))), d.of(Person, 4), data)
}

func (d *draw) requests() {
	stream, person := privacyrequest.Stream(d.of(Request, 2)), d.of(Person, 4)
	var data any = privacyrequest.Received{Kind: privacyrequest.Access, Due: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)}
	if d.has(stream) {
		data = rapid.SampledFrom([]any{
			privacyrequest.AccessFulfilled{Position: 5, Events: 3, SHA256: "00"},
			privacyrequest.ErasureFulfilled{Redaction: d.of(Event, 2), Keys: 2, Events: 4, Suppressed: true},
			privacyrequest.RestrictionFulfilled{Hold: d.of(Event, 2)},
			privacyrequest.ObjectionFulfilled{Hold: d.of(Event, 2)},
		}).Draw(d.T, "fulfilled")
	}
	d.Add(d.gap, d.account, stream, person, data)
}

func (d *draw) messages() {
	n := d.n(2)
	stream, person := message.Stream(ID(Message, 2*n+int(d.account[15])%2)), ID(Person, 2*n+int(d.account[15])%2)
	var data any = message.Requested{Kind: message.Test, Campaign: d.of(Campaign, 2), Template: d.of(Template, 2), TemplateRevision: 1, To: d.sealed()}
	if d.has(stream) {
		data = rapid.SampledFrom([]any{
			message.Intended{Worker: ID(Worker, d.n(2))}, message.LeftInDoubt{}, message.ResendRequested{},
			message.Withheld{Reason: delivery.Suppressed}, message.Accepted{Code: 250}, message.Deferred{Code: 451, Reply: d.sealed()},
			message.Deferred{}, message.Failed{Code: 550, Reason: delivery.Rejected},
		}).Draw(d.T, "message")
	}
	d.Add(d.gap, d.account, stream, person, data)
}
