package sending_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
)

// pace lets one message a second leave, to anybody, and counts places.
type pace struct {
	mu       sync.Mutex
	next     time.Time
	places   int
	admitted int
	domains  map[string]bool
	throttle map[int]bool
	stop     string // what it says once five have ended
	ended    int
}

func (p *pace) Open(_ sending.Turn, now time.Time) (n int, again time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.next) {
		return 0, p.next
	}
	return 3, again
}

func (p *pace) Admit(t sending.Turn, now time.Time) (again time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.next) {
		return p.next, false
	}
	p.next = now.Add(time.Second)
	p.places++
	p.admitted++
	if p.domains == nil {
		p.domains, p.throttle = map[string]bool{}, map[int]bool{}
	}
	p.throttle[t.Throttle] = true
	p.domains[t.Domain] = true
	return again, true
}

func (p *pace) Heard(_ sending.Turn, _ delivery.Reply, tried bool, _ time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.places--
	if p.ended++; p.ended == 5 {
		return p.stop
	}
	return ""
}

// Whoever is held back is sent to later, once, and every place is given back.
func TestLimitsHoldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20)
		o, limits := w.one(), &pace{}
		o.Limits = limits
		w.start()
		began := time.Now()
		_, stop := run(t, o)
		defer stop()
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 20}) {
			t.Errorf("finished with %+v, want all sent", is.Result)
		}
		w.once(0)
		if took := time.Since(began); took < 19*time.Second {
			t.Errorf("20 messages at one a second took %v", took)
		}
		if limits.places != 0 || limits.admitted != 20 {
			t.Errorf("%d admitted, %d places never given back", limits.admitted, limits.places)
		}
		for d := range limits.domains {
			if strings.Contains(d, "@") || d != strings.ToLower(d) || d == "" {
				t.Errorf("asked about the domain %q", d)
			}
		}
	})
}

// A reason to stop pauses the campaign and says so; resumed, it goes on.
func TestLimitsStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20)
		o, limits := w.one(), &pace{stop: "wall_of_rejections"}
		o.Limits = limits
		w.start()
		_, stop := run(t, o)
		defer stop()
		time.Sleep(time.Minute)
		if is := w.state(); is.Status != campaign.Held {
			t.Fatalf("the campaign is %s, want paused", is.Status)
		}
		if n := w.sink.total(); n > 7 {
			t.Errorf("%d messages left after the fifth said stop", n)
		}
		w.ask(commands.ResumeCampaign{Campaign: w.campaign})
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 20}) {
			t.Errorf("finished with %+v, want all sent", is.Result)
		}
		w.once(0)
		if limits.places != 0 {
			t.Errorf("%d places never given back", limits.places)
		}
	})
}

// Somebody who was admitted, and revoked before they could be sent to, gives
// their place back.
func TestLimitsOfWhoLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 6)
		o, limits := w.options(), &pace{}
		o.Limits, o.Parallel = limits, 1
		o.Journal = &late{Journal: w.journal, do: func() { w.revoke(0) }}
		w.start()
		_, stop := run(t, o)
		defer stop()
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 5, Withheld: 1}) {
			t.Errorf("finished with %+v, want 5 sent and 1 withheld", is.Result)
		}
		if limits.places != 0 {
			t.Errorf("%d places never given back", limits.places)
		}
	})
}

// A throttle set in mid-flight is in the turns that follow.
func TestLimitsHearOfTheThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		o, limits := w.one(), &pace{}
		o.Limits = limits
		w.start()
		_, stop := run(t, o)
		defer stop()
		time.Sleep(4 * time.Second)
		w.ask(commands.ThrottleCampaign{Campaign: w.campaign, PerHour: 3600})
		w.finish()
		if !limits.throttle[0] || !limits.throttle[3600] {
			t.Errorf("turns had the throttles %v, want 0 and 3600", limits.throttle)
		}
	})
}
