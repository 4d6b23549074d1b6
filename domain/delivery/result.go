package delivery

import (
	"slices"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// A Result is what became of one message that was intended: Sent, Waiting (it
// never left), Again or Undelivered.
type Result struct {
	Recipient
	To       Standing
	Reason   Reason        // of Undelivered
	Code     int           // 0 when nobody was asked
	Enhanced string        // RFC 3463; "" when not given
	Text     personal.Text // the server's words
	Server   string        // which of several said so
}

func (r Result) as(to Standing, why Reason) Result {
	r.To, r.Reason = to, why
	return r
}

// Facts are results as events: one for all whom the same server gave the same
// yes, one for each of the others.
func Facts(campaign domain.ID, results []Result) ([]Event, error) {
	var taken []*Accepted
	var rest []Event
	for _, r := range results {
		switch r.To {
		case Sent:
			i := slices.IndexFunc(taken, func(a *Accepted) bool { return a.Code == r.Code && a.Server == r.Server })
			if i < 0 {
				i, taken = len(taken), append(taken, &Accepted{Campaign: campaign, Code: r.Code, Server: r.Server})
			}
			a := taken[i]
			a.Subjects, a.Ordinals = append(a.Subjects, r.Person), append(a.Ordinals, r.Ordinal)
		case Waiting, Again:
			rest = append(rest, Deferred{r.Person, campaign, r.Ordinal, r.Code, r.Enhanced, r.Text, r.Server})
		case Undelivered:
			rest = append(rest, Failed{r.Person, campaign, r.Ordinal, r.Code, r.Enhanced, r.Reason, r.Text, r.Server})
		default:
			return nil, ErrNoResult
		}
	}
	facts := make([]Event, 0, len(taken)+len(rest))
	for _, a := range taken {
		facts = append(facts, *a)
	}
	return append(facts, rest...), nil
}
