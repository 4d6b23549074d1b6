package pacing

import (
	"math"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
)

// course is what is known of a campaign on its way.
type course struct {
	bucket   // of its throttle
	calendar calendar
	breaker  breaker
	stopped  time.Time // the breaker tripped: nobody's turn before
	held     guard     // the limit that let it wait last
	until    time.Time // for so long
	stale    int       // under way since it did: they say nothing new
	flying   int
	seen     time.Time
	email    string // the sender's
	from     string // its domain
}

func (c *course) forgettable(now time.Time, pressed bool) bool {
	return c.flying == 0 && (pressed || now.Sub(c.seen) > 24*forgetAfter)
}

func (a *account) forgettable(now time.Time, _ bool) bool { return now.Sub(a.at) > time.Minute }

// throttle is a campaign's rate.
func throttle(t Turn) Rate { return Rate(float64(t.Throttle) / 3600) }

// standstill is how long a campaign whose breaker has tripped waits to be
// paused; resumed sooner, it waits for the rest of it.
const standstill = 5 * time.Second

// guard is a limit that a turn meets, and when it lets the next one pass.
type guard uint8

const (
	byBreaker guard = iota
	byWindow
	byWarmup
	byThrottle
	byAccount
	byRate
	byDomain
	guards
)

var guardNames = [guards]string{"breaker", "window", "warmup", "throttle", "account", "rate", "domain"}

// campaign is when the next message of a campaign may leave, whatever its
// recipient's domain, and which limit says so.
func (p *Pacer) campaign(c *course, a *account, t Turn, now time.Time) (time.Time, guard) {
	latest, by := now, byBreaker
	at := func(g guard, next time.Time) {
		if next.After(latest) {
			latest, by = next, g
		}
	}
	at(byBreaker, c.stopped)
	at(byWindow, c.calendar.ready(t.Settings.Window, now))
	if plan := p.plans[c.from]; plan != nil {
		at(byWarmup, plan.ready(now))
	}
	at(byThrottle, c.ready(throttle(t), now))
	if a != nil {
		at(byAccount, a.ready(p.o.AccountRate, now))
	}
	at(byRate, p.all.ready(p.o.Rate, now))
	return latest, by
}

// Open is how many of a campaign may have their turn now, whatever their
// domains, so far as limits say; when none may, again is when to ask. It takes
// no place.
func (p *Pacer) Open(t Turn, now time.Time) (n int, again time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, a := p.course(t, now), p.account(t, now)
	if next, by := p.campaign(c, a, t, now); next.After(now) {
		p.counts.held[by]++
		c.held, c.until = by, next
		return 0, next
	}
	c.until = time.Time{}
	left := math.Inf(1)
	least := func(r Rate, b *bucket) {
		if r > 0 {
			left = math.Min(left, b.left(r, now)+rounding)
		}
	}
	least(throttle(t), &c.bucket)
	least(p.o.Rate, &p.all)
	if a != nil {
		least(p.o.AccountRate, &a.bucket)
	}
	if plan := p.plans[c.from]; plan != nil {
		if today, holds := plan.left(now); holds {
			left = math.Min(left, float64(today))
		}
	}
	if left > math.MaxInt32 {
		return math.MaxInt, again
	}
	return int(left), again
}

// Held says which limit lets a campaign wait, and until when: "window",
// "warmup", "throttle", "account", "rate" or "breaker". Waits of less than a
// second are none.
func (p *Pacer) Held(id campaign.ID, now time.Time) (by string, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.courses.known[id]; c != nil && c.until.Sub(now) >= time.Second {
		return guardNames[c.held], c.until
	}
	return "", until
}

// Admit takes a place for one message, or says when asking again is worth it.
func (p *Pacer) Admit(t Turn, now time.Time) (again time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, a, l := p.course(t, now), p.account(t, now), get(&p.lanes, t.Domain, now)
	next, by := p.campaign(c, a, t, now)
	limit, _ := p.limit(t.Domain)
	if at := l.ready(limit, now); at.After(next) {
		next, by = at, byDomain
	}
	if next.After(now) {
		p.counts.held[by]++
		return next, false
	}
	c.seen, l.seen = now, now
	c.flying++
	l.flying++
	c.take(now)
	l.take(now)
	p.all.take(now)
	if a != nil {
		a.take(now)
	}
	if plan := p.plans[c.from]; plan != nil {
		plan.take()
	}
	return again, true
}

// Heard is told once for each admitted message how it ended; not tried: it did
// not leave. stop, unless "", is why the campaign has to be paused: a stable
// code, a colon, and a sentence.
func (p *Pacer) Heard(t Turn, r delivery.Reply, tried bool, now time.Time) (stop string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, l := p.course(t, now), get(&p.lanes, t.Domain, now)
	c.flying, l.flying = max(c.flying-1, 0), max(l.flying-1, 0)
	c.seen, l.seen = now, now
	if !tried || r.Outcome == delivery.NotSent || r.Outcome == delivery.NotMade || r.Outcome == delivery.NotReached {
		p.giveBack(c, l, t, now)
		return ""
	}
	limit, row := p.limit(t.Domain)
	p.counts.domains[row].heard(r.Outcome)
	if l.heard(limit, r, now) {
		p.counts.domains[row].slowed++
	}
	return p.judge(c, r, now)
}

func (p *Pacer) giveBack(c *course, l *lane, t Turn, now time.Time) {
	c.giveBack()
	l.giveBack()
	p.all.giveBack()
	if a := p.account(t, now); a != nil {
		a.giveBack()
	}
	if plan := p.plans[c.from]; plan != nil {
		plan.giveBack()
	}
}

// judge lets the campaign's breaker hear of a reply. When it trips, what was
// under way then says nothing about the time after it.
func (p *Pacer) judge(c *course, r delivery.Reply, now time.Time) (stop string) {
	if c.stale > 0 {
		c.stale--
		return ""
	}
	v, decided := judge(r)
	if !decided {
		return ""
	}
	code, sentence := c.breaker.heard(v, r)
	if code == "" {
		return ""
	}
	c.breaker, c.stale, c.stopped = breaker{}, c.flying, now.Add(standstill)
	p.counts.trips[code]++
	return code + ": " + sentence
}

func (p *Pacer) course(t Turn, now time.Time) *course {
	c := get(&p.courses, t.Campaign, now)
	if c.email != t.Settings.FromEmail {
		c.email, c.from = t.Settings.FromEmail, HostOf(t.Settings.FromEmail)
	}
	return c
}

func (p *Pacer) account(t Turn, now time.Time) *account {
	if p.o.AccountRate <= 0 {
		return nil
	}
	return get(&p.accounts, t.Account, now)
}

// limit is what a domain may get, and the row that it is counted in.
func (p *Pacer) limit(domain string) (DomainLimit, int) {
	if row, known := p.counts.rows[domain]; known {
		return p.o.Domains[domain], row
	}
	return p.o.Domain, 0
}

// HostOf is an address's domain, as the limits know it: A-labels, lower case.
func HostOf(email string) string {
	host := strings.ToLower(email[strings.LastIndexByte(email, '@')+1:])
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		return ascii
	}
	return host
}
