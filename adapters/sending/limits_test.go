package sending_test

import (
	"slices"
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

// trickle lets one message of its people leave in a tenth of a second, and
// everybody else at once.
type trickle struct {
	slow map[string]bool // by domain
	mu   sync.Mutex
	next time.Time
}

func (*trickle) Open(_ sending.Turn, _ time.Time) (n int, again time.Time) { return 100, again }

func (l *trickle) Admit(t sending.Turn, now time.Time) (again time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.slow[t.Domain]:
		return again, true
	case now.Before(l.next):
		return l.next, false
	}
	l.next = now.Add(100 * time.Millisecond)
	return again, true
}

func (*trickle) Heard(sending.Turn, delivery.Reply, bool, time.Time) string { return "" }

// A segment whose people are held back for a moment is not given up and taken
// again for each of them; one that nobody has had a turn in comes first.
func TestHeldBackForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20)
		o, limits := w.one(), &trickle{slow: map[string]bool{}}
		for i := range 10 {
			_, host, _ := strings.Cut(address(i), "@")
			limits.slow[host] = true
		}
		o.Limits, o.SegmentSize, o.Parallel = limits, 10, 1
		w.start()
		_, stop := run(t, o)
		defer stop()
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 20}) {
			t.Errorf("finished with %+v, want all sent", is.Result)
		}
		var claims, before int
		for _, e := range w.events() {
			switch d := e.Data.(type) {
			case delivery.Claimed:
				claims++
			case delivery.Accepted:
				for _, n := range d.Ordinals {
					if n < 10 && e.At.Before(w.acceptedAt(10)) {
						before++
					}
				}
			}
		}
		if claims > 6 {
			t.Errorf("%d claims and releases of two segments", claims)
		}
		if before > 5 {
			t.Errorf("%d of ten slow people had their turn before the first of the others", before)
		}
	})
}

// acceptedAt is when somebody's message was taken.
func (w *world) acceptedAt(ordinal int) time.Time {
	for _, e := range w.events() {
		if d, ok := e.Data.(delivery.Accepted); ok && slices.Contains(d.Ordinals, ordinal) {
			return e.At
		}
	}
	w.t.Fatalf("nothing was sent to %d", ordinal)
	return time.Time{}
}

// hourly lets one message leave, and the next in an hour, while there is a throttle.
type hourly struct {
	mu   sync.Mutex
	next time.Time
}

func (l *hourly) Open(t sending.Turn, now time.Time) (n int, again time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.Throttle > 0 && now.Before(l.next) {
		return 0, l.next
	}
	return 1, again
}

func (l *hourly) Admit(_ sending.Turn, now time.Time) (again time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = now.Add(time.Hour)
	return again, true
}

func (*hourly) Heard(sending.Turn, delivery.Reply, bool, time.Time) string { return "" }

// A throttle that is changed holds at once: nobody waits for a time that an
// older one named.
func TestThrottleChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20)
		o := w.one()
		o.Limits = &hourly{}
		w.ask(commands.ThrottleCampaign{Campaign: w.campaign, PerHour: 1})
		w.start()
		_, stop := run(t, o)
		defer stop()
		time.Sleep(10 * time.Minute)
		if n := w.sink.total(); n != 1 {
			t.Errorf("%d messages in ten minutes at one an hour", n)
		}
		w.ask(commands.ThrottleCampaign{Campaign: w.campaign, PerHour: 0})
		time.Sleep(time.Minute)
		if is := w.state(); is.Result != (campaign.Finished{Sent: 20}) {
			t.Errorf("%s with %+v a minute after the throttle was lifted, want all sent", is.Status, is.Result)
		}
		w.once(0)
	})
}
