package sending_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/domain/campaign"
	"golang.org/x/net/idna"
	"pgregory.net/rapid"
)

// A campaign gets to everybody once, and says so.
func TestEverybodyGetsItOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		w.start()
		_, stop := run(t, w.options())
		defer stop()
		is := w.finish()
		if want := (campaign.Finished{Sent: 10}); is.Result != want {
			t.Errorf("finished with %+v, want %+v", is.Result, want)
		}
		if is.Audience.Segments != 3 || is.Audience.Recipients != 10 {
			t.Errorf("audience %+v, want 10 recipients in 3 segments", is.Audience)
		}
		for i := range 10 {
			if n := w.sink.count(i); n != 1 {
				t.Errorf("recipient %d got %d messages", i, n)
			}
		}
	})
}

// Limits know a domain in one form, however an address writes it.
func TestDomainOf(t *testing.T) {
	for email, want := range map[string]string{
		"ann@Example.ORG": "example.org", "ann@bücher.example": "xn--bcher-kva.example", "ann@XN--BCHER-KVA.example": "xn--bcher-kva.example",
		"ann@under_score.example": "under_score.example", "nobody": "nobody",
	} {
		if got := sending.DomainOf(email); got != want {
			t.Errorf("%s: %s, want %s", email, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		host := rapid.StringMatching(`[a-zA-Z0-9._-]{0,70}`).Draw(t, "host")
		want, err := idna.Lookup.ToASCII(strings.ToLower(host))
		if err != nil {
			want = strings.ToLower(host)
		}
		if got := sending.DomainOf("x@" + host); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}
