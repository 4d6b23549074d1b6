package pacing

import "time"

// plan is a warm-up: so many messages on the first day on which something is
// sent, so many on the second; after the last, as many as there are.
type plan struct {
	quotas []int
	past   int   // days before this one on which something was sent
	day    int64 // UTC, since 1970
	today  int   // taken, on that day
}

func dayOf(t time.Time) int64 { return t.Unix() / 86_400 }

// left is how many may go today, and whether the plan still holds. A clock set
// back counts as the same day.
func (p *plan) left(now time.Time) (n int, holds bool) {
	if day := dayOf(now); day > p.day {
		if p.today > 0 {
			p.past++
		}
		p.day, p.today = day, 0
	}
	if p.past >= len(p.quotas) {
		return 0, false
	}
	return max(p.quotas[p.past]-p.today, 0), true
}

// ready is when the next may go: now, or on another day.
func (p *plan) ready(now time.Time) time.Time {
	if n, holds := p.left(now); holds && n == 0 {
		return time.Unix((p.day+1)*86_400, 0)
	}
	return now
}

func (p *plan) take()     { p.today++ }
func (p *plan) giveBack() { p.today = max(p.today-1, 0) }

// Warmed tells, before the first message, what has been sent from a domain so
// far: the number of messages on each day, UTC, by any time of that day.
func (p *Pacer) Warmed(from string, sent map[time.Time]int, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	plan := p.plans[from]
	if plan == nil {
		return
	}
	days := map[int64]int{}
	for at, n := range sent {
		days[dayOf(at)] += n
	}
	plan.day = dayOf(now)
	plan.past, plan.today = 0, days[plan.day]
	for day, n := range days {
		if day < plan.day && n > 0 {
			plan.past++
		}
	}
}
