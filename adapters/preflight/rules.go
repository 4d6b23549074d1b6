package preflight

import (
	"slices"
	"strings"
)

// Rule is one thing that is looked at.
type Rule struct {
	Code  string // API
	Level Level  // of what it finds: Block or Warn
	Asks  string // what holds when nothing is found
	about about
	look  func(*facts) verdict
}

// about is what there must be for a rule to look at.
type about int

const (
	settings about = iota
	message
	network
)

// verdict is what a rule makes of the facts; zero: it found nothing.
type verdict struct {
	text    string
	details []string
	unclear bool // nothing is known, and text says why
}

// Rules are all rules: those that block first.
var Rules = slices.SortedStableFunc(slices.Values(slices.Concat(rulesOfContent, rulesOfAudience, rulesOfSender)),
	func(a, b Rule) int { return strings.Compare(string(a.Level), string(b.Level)) })

func (r Rule) find(f *facts) Finding {
	v := verdict{unclear: true}
	switch {
	case r.about == message && f.broken != nil:
		v.text = "there is no message to look at yet"
	case r.about == network && f.dns.notAsked != "":
		v.text = f.dns.notAsked
	default:
		v = r.look(f)
	}
	switch {
	case v.unclear:
		return Finding{r.Code, Unchecked, v.text, nil}
	case v.text == "":
		return Finding{r.Code, OK, r.Asks, nil}
	}
	return Finding{r.Code, r.Level, v.text, v.details}
}

// maxDetails is how many links or variables a finding names.
const maxDetails = 20

func found(text string, details ...string) verdict {
	return verdict{text: text, details: details[:min(len(details), maxDetails)]}
}

func unclear(text string) verdict { return verdict{text: text, unclear: true} }

var silent = unclear(dnsSilent)
