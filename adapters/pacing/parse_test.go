package pacing_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/pacing"
)

// Rates are given in the unit that suits them.
func TestParseRate(t *testing.T) {
	for text, want := range map[string]pacing.Rate{"20/s": 20, "600/m": 10, "1800/h": 0.5, "86400/d": 1} {
		if r, err := pacing.ParseRate(text); err != nil || r != want {
			t.Errorf("%s: %v, %v", text, r, err)
		}
	}
	for _, text := range []string{"", "20", "/s", "0/s", "-1/s", "1.5/s", "20/w", "20/s/s", "20 /s"} {
		if r, err := pacing.ParseRate(text); err == nil {
			t.Errorf("%q is %v", text, r)
		}
	}
}

// A domain's limit is a rate, a number of messages at once, or both.
func TestParseDomainLimit(t *testing.T) {
	type limit struct {
		Domain string
		Limit  pacing.DomainLimit
	}
	for text, want := range map[string]limit{
		"gmail.com=20/s,10":  {"gmail.com", pacing.DomainLimit{Rate: 20, Concurrent: 10}},
		"GMail.com=10":       {"gmail.com", pacing.DomainLimit{Concurrent: 10}},
		"bücher.example=1/s": {"xn--bcher-kva.example", pacing.DomainLimit{Rate: 1}},
		"*=5":                {"*", pacing.DomainLimit{Concurrent: 5}},
	} {
		d, l, err := pacing.ParseDomainLimit(text)
		if diff := cmp.Diff(want, limit{d, l}); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"", "gmail.com", "gmail.com=", "=5", "gmail.com=0", "gmail.com=5,5", "gmail.com=1/s,2/s", "a b=5", "gmail.com=5,"} {
		if d, l, err := pacing.ParseDomainLimit(text); err == nil {
			t.Errorf("%q is %s %v", text, d, l)
		}
	}
}

// A warm-up plan is a quota a day.
func TestParseWarmup(t *testing.T) {
	from, quotas, err := pacing.ParseWarmup("Example.org=50,100")
	if err != nil || from != "example.org" || !cmp.Equal(quotas, []int{50, 100}) {
		t.Error(from, quotas, err)
	}
	for _, text := range []string{"", "example.org", "example.org=", "=50", "*=50", "example.org=50,", "example.org=0", "example.org=-5"} {
		if from, quotas, err := pacing.ParseWarmup(text); err == nil {
			t.Errorf("%q is %s %v", text, from, quotas)
		}
	}
}
