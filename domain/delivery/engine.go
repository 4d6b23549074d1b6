package delivery

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// A Recipient is one place in a campaign's audience.
type Recipient struct {
	Person  domain.ID
	Ordinal int
}

// Waiting is for whom nothing has left and nothing is intended, in ordinal order.
func (s Segment) Waiting() []Recipient { return s.who(Waiting) }

// Deferred is to whom a server said not now, in ordinal order: before their
// turn comes again, a pause is due.
func (s Segment) Deferred() []Recipient { return s.who(Again) }

func (s Segment) who(stand Standing) []Recipient {
	who := make([]Recipient, 0, s.counts[stand])
	for i, st := range s.standing {
		if len(who) == cap(who) {
			break
		}
		if st == stand {
			who = append(who, Recipient{s.Subjects[i], s.First + i})
		}
	}
	return who
}

// Totals is what became of recipients.
type Totals struct{ Sent, Withheld, Failed, Unknown int }

// Totals counts the settled.
func (s Segment) Totals() Totals {
	return Totals{s.counts[Sent], s.counts[Excluded], s.counts[Undelivered], s.counts[InDoubt]}
}

// Plus adds up.
func (t Totals) Plus(o Totals) Totals {
	return Totals{t.Sent + o.Sent, t.Withheld + o.Withheld, t.Failed + o.Failed, t.Unknown + o.Unknown}
}

// An Outcome is how one transmission ended, as far as the sender can tell.
type Outcome uint8

const (
	Unclear    Outcome = iota // the connection broke after the message and before the reply
	Taken                     // 2yz: the server is responsible now
	NotNow                    // 4yz
	Never                     // 5yz
	NotSent                   // the message never left: no connection, or it was called back in time
	NotMade                   // the message could not be rendered
	NotReached                // NotSent, too often and for too long
)

// MaxReply bounds what is kept of a server's words, in bytes.
const MaxReply = 500

// A Reply is an outcome with the server's words.
type Reply struct {
	Outcome  Outcome
	Code     int    // 0 when no reply came
	Enhanced string // RFC 3463, "5.1.1"; "" when not given
	Text     string // may quote the address
	Server   string // the name of the one that was asked; "" when there is only one
}

// Judge says what a reply to r's message is worth recording as; not ok for an
// outcome that nobody knows, which is what the record then says. maxTries
// bounds how often a server may say not now.
func (s Segment) Judge(r Recipient, reply Reply, maxTries int) (result Result, ok bool) {
	said := Result{Recipient: r, Code: reply.Code, Enhanced: reply.Enhanced, Text: personal.Of(reply.Text[:min(len(reply.Text), MaxReply)]), Server: reply.Server}
	unsaid := Result{Recipient: r}
	switch reply.Outcome {
	case Taken:
		return said.as(Sent, ""), true
	case NotNow:
		if reply.Code == 0 {
			return unsaid.as(Waiting, ""), true
		}
		if s.triesOf(r.Ordinal)+1 >= maxTries {
			return said.as(Undelivered, Unreachable), true
		}
		return said.as(Again, ""), true
	case Never:
		return said.as(Undelivered, Rejected), true
	case NotSent:
		return unsaid.as(Waiting, ""), true
	case NotMade:
		return unsaid.as(Undelivered, BadTemplate), true
	case NotReached:
		return unsaid.as(Undelivered, Unreachable), true
	default:
		return Result{}, false
	}
}

func (s Segment) triesOf(ordinal int) int {
	if i := ordinal - s.First; i >= 0 && i < len(s.tries) {
		return int(s.tries[i])
	}
	return 0
}
