// Package bounce is what others report of messages to one person.
package bounce

import (
	"slices"
	"time"

	"github.com/cleversender/cleversender/domain"
)

// A Kind is what a report says of the person's mailbox. Names are stored.
type Kind string

const (
	Hard      Kind = "hard"       // nothing will ever reach it
	Soft      Kind = "soft"       // not now: full, too large, out of reach
	Block     Kind = "block"      // we or the message are not wanted: says nothing of it
	AutoReply Kind = "auto_reply" // a machine answered in the person's place
)

// Kinds lists every kind.
var Kinds = []Kind{Hard, Soft, Block, AutoReply}

// Known reports whether k is one of Kinds.
func (k Kind) Known() bool { return slices.Contains(Kinds, k) }

// A Source is how a report reached us. Names are stored.
type Source string

const (
	SMTP     Source = "smtp"    // the server's reply to the message itself
	Intake   Source = "intake"  // mail to our own server
	Mailbox  Source = "mailbox" // mail fetched from a mailbox
	SES      Source = "ses"
	SendGrid Source = "sendgrid"
	Postmark Source = "postmark"
)

// Sources lists every source.
var Sources = []Source{SMTP, Intake, Mailbox, SES, SendGrid, Postmark}

// Known reports whether s is one of Sources.
func (s Source) Known() bool { return slices.Contains(Sources, s) }

// Letter is the message that a report is about: a campaign's to one recipient,
// or one outside every campaign.
type Letter struct {
	Campaign domain.ID
	Ordinal  int
	Message  domain.ID // zero for a campaign's
}

// Valid reports whether l names one message.
func (l Letter) Valid() bool {
	return l.Campaign.IsZero() != l.Message.IsZero() && l.Ordinal >= 0 && (l.Ordinal == 0 || l.Message.IsZero())
}

// Letter is the message that the report is about.
func (e Received) Letter() Letter { return Letter{e.Campaign, e.Ordinal, e.Message} }

// Letter is the message that the report is about.
func (e Complained) Letter() Letter { return Letter{e.Campaign, e.Ordinal, e.Message} }

// complaint stands beside kinds in a History.
const complaint Kind = "complaint"

type report struct {
	of   Letter
	kind Kind
}

// History is the reports of one person's messages. It is never changed in place.
type History struct {
	reports []report
	softs   []time.Time // of messages that bounced softly, since that was settled last
}

// Apply follows one event.
func (h History) Apply(e any) History {
	switch e := e.(type) {
	case Received:
		h.reports = append(slices.Clip(h.reports), report{e.Letter(), e.Kind})
		if e.Kind == Soft {
			h.softs = append(slices.Clip(h.softs), e.At)
		}
	case Complained:
		h.reports = append(slices.Clip(h.reports), report{e.Letter(), complaint})
	}
	return h
}

// Settled is the history after somebody vouched for the address, or it became
// another: soft bounces are counted from nothing.
func (h History) Settled() History {
	h.softs = nil
	return h
}

// Bounced reports whether the message is known to have bounced so.
func (h History) Bounced(of Letter, k Kind) bool { return slices.Contains(h.reports, report{of, k}) }

// ComplainedOf reports whether the message is known to be complained of.
func (h History) ComplainedOf(of Letter) bool {
	return slices.Contains(h.reports, report{of, complaint})
}

// Policy says how many messages have to bounce softly, within how long, until
// the address is given up.
type Policy struct {
	Softs  int
	Within time.Duration
}

// DefaultPolicy gives up an address after three soft bounces within thirty days.
var DefaultPolicy = Policy{Softs: 3, Within: 30 * 24 * time.Hour}

// GivesUp reports whether so many soft bounces are so close together, in
// whichever order they were heard of.
func (p Policy) GivesUp(h History) bool {
	at := slices.SortedFunc(slices.Values(h.softs), time.Time.Compare)
	for last := p.Softs - 1; last >= 0 && last < len(at); last++ {
		if at[last].Sub(at[last-p.Softs+1]) <= p.Within {
			return true
		}
	}
	return false
}
