package preflight

import (
	"fmt"
	"strings"

	"github.com/cleversender/cleversender/projections/audience"
)

const coverage = 75 // % of the lists' members who may be mailed, at least

// rulesOfAudience are about who gets the message.
var rulesOfAudience = []Rule{
	{"nobody_mailable", Block, "Somebody may be mailed.", settings, nobodyMailable},
	{"consent_low", Warn, "Most of the lists' members may be mailed.", settings, consentLow},
}

// counts adds the lists up; who is on two counts twice.
func (f *facts) counts() (members, mailable int, byList []string) {
	for _, l := range f.lists {
		if l.Archived {
			byList = append(byList, l.Name+": archived, gets nothing")
			continue
		}
		members, mailable = members+l.Counts.Members, mailable+l.Counts.Mailable
		byList = append(byList, standings(l))
	}
	return members, mailable, byList
}

func standings(l audience.List) string {
	text := fmt.Sprintf("%s: %d of %d may be mailed", clip(l.Name, 100), l.Counts.Mailable, l.Counts.Members)
	var held []string
	for _, c := range []struct {
		people int
		why    string
	}{
		{l.Counts.Silent, "never agreed"}, {l.Counts.Unconfirmed, "have not confirmed"}, {l.Counts.Revoked, "unsubscribed"},
		{l.Counts.Suppressed, "are suppressed"}, {l.Counts.Objected, "object"}, {l.Counts.Restricted, "are restricted"},
	} {
		if c.people > 0 {
			held = append(held, fmt.Sprintf("%d %s", c.people, c.why))
		}
	}
	if len(held) > 0 {
		text += "; " + strings.Join(held, ", ")
	}
	return text
}

var behind = unclear("the view of the audience is not up to date; try again")

func nobodyMailable(f *facts) verdict {
	_, mailable, lists := f.counts()
	switch {
	case len(f.settings.Lists) == 0:
		return found("Nobody would get it: no list is chosen.")
	case mailable > 0 || f.sample.people > 0:
		return verdict{}
	case f.stale:
		return behind
	}
	return found("Nobody would get it: nobody on these lists may be mailed.", lists...)
}

func consentLow(f *facts) verdict {
	members, mailable, lists := f.counts()
	switch {
	case f.stale:
		return behind
	case members == 0:
		return unclear("there is nobody to look at")
	case 100*mailable >= coverage*members:
		return verdict{}
	}
	return found(fmt.Sprintf("Only %s may be mailed, %d of %d; the others are withheld.", percent(mailable, members), mailable, members), lists...)
}
