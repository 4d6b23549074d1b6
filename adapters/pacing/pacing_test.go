package pacing_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/adapters/pacing"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
)

var (
	noon  = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	taken = delivery.Reply{Outcome: delivery.Taken, Code: 250}
	later = delivery.Reply{Outcome: delivery.NotNow, Code: 421, Enhanced: "4.7.28"}
)

func turn(domainName string) pacing.Turn {
	return pacing.Turn{
		Account: domain.ID{1}, Campaign: domain.ID{2}, Domain: domainName,
		Settings: campaign.Settings{FromEmail: "news@example.com"},
	}
}

func never(code int, enhanced string) delivery.Reply {
	return delivery.Reply{Outcome: delivery.Never, Code: code, Enhanced: enhanced}
}

// admitted is how many of n turns are let pass at once.
func admitted(p *pacing.Pacer, t pacing.Turn, n int, now time.Time) (ok int) {
	for range n {
		if _, pass := p.Admit(t, now); pass {
			ok++
		}
	}
	return ok
}

// Without limits everything passes, as much as there is.
func TestNoLimits(t *testing.T) {
	p := pacing.New(pacing.Options{})
	if n, _ := p.Open(turn("a.example"), noon); n < 1e9 {
		t.Errorf("open for %d", n)
	}
	if n := admitted(p, turn("a.example"), 5000, noon); n != 5000 {
		t.Errorf("%d of 5000 pass", n)
	}
}

// Each rate lets a second's worth pass at once, then says when the next may.
func TestRates(t *testing.T) {
	throttled := turn("a.example")
	throttled.Throttle = 36_000
	for name, c := range map[string]struct {
		options pacing.Options
		turn    pacing.Turn
	}{
		"of everything":   {pacing.Options{Rate: 10}, turn("a.example")},
		"of the account":  {pacing.Options{AccountRate: 10}, turn("a.example")},
		"of the campaign": {pacing.Options{}, throttled},
		"of a domain":     {pacing.Options{Domains: map[string]pacing.DomainLimit{"a.example": {Rate: 10}}}, turn("a.example")},
		"of each domain":  {pacing.Options{Domain: pacing.DomainLimit{Rate: 10}}, turn("a.example")},
	} {
		p := pacing.New(c.options)
		if n := admitted(p, c.turn, 20, noon); n != 10 {
			t.Errorf("%s: %d at once, want 10", name, n)
		}
		again, ok := p.Admit(c.turn, noon)
		if ok || again.Sub(noon) != 100*time.Millisecond {
			t.Errorf("%s: again in %v, want 100ms", name, again.Sub(noon))
		}
		if _, ok := p.Admit(c.turn, again); !ok {
			t.Errorf("%s: does not pass when it was told to ask again", name)
		}
		if n := admitted(p, c.turn, 20, again.Add(time.Hour)); n != 10 {
			t.Errorf("%s: %d after an hour, want 10", name, n)
		}
	}
}

// A clock that is set back takes nothing away, and holds nothing up.
func TestClockSetBack(t *testing.T) {
	p := pacing.New(pacing.Options{Rate: 10})
	admitted(p, turn("a.example"), 4, noon)
	before := noon.Add(-24 * time.Hour)
	if n := admitted(p, turn("a.example"), 20, before); n != 6 {
		t.Errorf("%d pass at once, want the 6 that were left", n)
	}
	if n := admitted(p, turn("a.example"), 20, before.Add(time.Second)); n != 10 {
		t.Errorf("%d pass a second later, want 10", n)
	}
}

// An account's rate is its own.
func TestAccountsDoNotShare(t *testing.T) {
	p := pacing.New(pacing.Options{AccountRate: 3})
	other := turn("a.example")
	other.Account, other.Campaign = domain.ID{9}, domain.ID{9}
	if a, b := admitted(p, turn("a.example"), 9, noon), admitted(p, other, 9, noon); a != 3 || b != 3 {
		t.Errorf("%d and %d pass, want 3 and 3", a, b)
	}
}

// A throttle that is changed holds from the next message on.
func TestThrottleChanges(t *testing.T) {
	p := pacing.New(pacing.Options{})
	slow := turn("a.example")
	admitted(p, slow, 100, noon)
	slow.Throttle = 60
	again, ok := p.Admit(slow, noon)
	if ok || again.Sub(noon) != time.Minute {
		t.Errorf("admitted %v, again in %v: want a minute", ok, again.Sub(noon))
	}
	if n, _ := p.Open(slow, noon); n != 0 {
		t.Errorf("open for %d", n)
	}
	if by, until := p.Held(slow.Campaign, noon); by != "throttle" || !until.Equal(again) {
		t.Errorf("held by %q until %v", by, until)
	}
	slow.Throttle = 7200
	if n := admitted(p, slow, 9, noon.Add(time.Second)); n != 2 {
		t.Errorf("%d pass a second after it was made faster, want 2", n)
	}
	p.Open(slow, noon.Add(time.Second))
	if by, _ := p.Held(slow.Campaign, noon.Add(time.Second)); by != "" {
		t.Errorf("held by %q for half a second", by)
	}
	slow.Throttle = 0
	if n := admitted(p, slow, 9, noon.Add(time.Second)); n != 9 {
		t.Errorf("%d of 9 pass without a throttle", n)
	}
}

// A place that came to nothing is free again.
func TestPlacesComeBack(t *testing.T) {
	p := pacing.New(pacing.Options{Rate: 1, AccountRate: 1, Domain: pacing.DomainLimit{Rate: 1, Concurrent: 1}, Warmup: map[string][]int{"example.com": {1}}})
	slow := turn("a.example")
	slow.Throttle = 1
	for _, r := range []delivery.Reply{{}, {Outcome: delivery.NotSent}, {Outcome: delivery.NotMade}, {Outcome: delivery.NotReached}} {
		if _, ok := p.Admit(slow, noon); !ok {
			t.Fatalf("the place before %+v did not come back", r)
		}
		p.Heard(slow, r, r.Outcome != delivery.Unclear, noon)
	}
	admitted(p, slow, 1, noon)
	p.Heard(slow, taken, true, noon)
	if _, ok := p.Admit(slow, noon); ok {
		t.Error("the place of a message that left came back")
	}
}

// As many are under way to a domain as may be, whatever other domains do.
func TestConcurrency(t *testing.T) {
	p := pacing.New(pacing.Options{Domain: pacing.DomainLimit{Concurrent: 3}, Domains: map[string]pacing.DomainLimit{"big.example": {}}})
	if a, b := admitted(p, turn("a.example"), 9, noon), admitted(p, turn("big.example"), 9, noon); a != 3 || b != 9 {
		t.Errorf("%d and %d are under way, want 3 and 9", a, b)
	}
	p.Heard(turn("a.example"), delivery.Reply{Outcome: delivery.Unclear}, true, noon)
	if n := admitted(p, turn("a.example"), 9, noon); n != 1 {
		t.Errorf("%d pass when one has ended", n)
	}
}

// A million domains leave nothing behind but those that have mail under way.
func TestForgets(t *testing.T) {
	p := pacing.New(pacing.Options{Domain: pacing.DomainLimit{Rate: 5}})
	now := noon
	for i := range 220_000 {
		now = now.Add(time.Millisecond)
		to := turn(fmt.Sprintf("d%d.example", i))
		if _, ok := p.Admit(to, now); !ok {
			t.Fatal("not admitted")
		}
		p.Heard(to, later, true, now)
	}
	if n := p.Known(); n > 200_000 {
		t.Errorf("%d domains are remembered", n)
	}
	for i := range 220_000 {
		now = now.Add(25 * time.Millisecond)
		to := turn(fmt.Sprintf("e%d.example", i))
		p.Admit(to, now)
		p.Heard(to, taken, true, now)
	}
	if n := p.Known(); n > 20_000 {
		t.Errorf("%d domains are remembered, an hour after the last of them was slow", n)
	}
}

// What the pacer does shows in its metrics, and only domains that somebody
// configured show by name.
func TestMetrics(t *testing.T) {
	p := pacing.New(pacing.Options{
		Rate: 2, Domains: map[string]pacing.DomainLimit{"gmail.com": {Concurrent: 5}}, Warmup: map[string][]int{"example.com": {9}},
	})
	for _, to := range []string{"gmail.com", "smith.example"} {
		p.Admit(turn(to), noon)
	}
	p.Admit(turn("gmail.com"), noon)
	p.Heard(turn("gmail.com"), later, true, noon)
	p.Heard(turn("smith.example"), never(550, "5.7.515"), true, noon)
	got := gathered(t, p)
	for name, want := range map[string]float64{
		"cleversender_limits_held_total rate":                  1,
		"cleversender_limits_held_total window":                0,
		"cleversender_breaker_trips_total unauthenticated":     1,
		"cleversender_domain_slowdowns_total gmail.com":        1,
		"cleversender_domain_slowdowns_total other":            0,
		"cleversender_domains_slowed":                          1,
		"cleversender_domain_replies_total gmail.com deferred": 1,
		"cleversender_domain_replies_total other rejected":     1,
		"cleversender_warmup_left example.com":                 7,
	} {
		if n, found := got[name]; !found || n != want {
			t.Errorf("%s is %v (%v), want %v", name, n, found, want)
		}
	}
	for name := range got {
		if strings.Contains(name, "smith") {
			t.Errorf("%s names somebody", name)
		}
	}
}

// gathered is metrics by name and the values of their labels.
func gathered(t *testing.T, c prometheus.Collector) map[string]float64 {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			name := f.GetName()
			for _, l := range m.Label {
				name += " " + l.GetValue()
			}
			all[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return all
}

// BenchmarkTurn is what a message pays that nothing limits.
func BenchmarkTurn(b *testing.B) {
	p := pacing.New(pacing.Options{})
	turns := make([]pacing.Turn, 1000)
	for i := range turns {
		turns[i] = turn(fmt.Sprintf("d%d.example", i*i%97))
	}
	b.ReportAllocs()
	b.RunParallel(func(b *testing.PB) {
		for i := 0; b.Next(); i++ {
			t := turns[i%len(turns)]
			p.Admit(t, noon)
			p.Heard(t, taken, true, noon)
		}
	})
}
