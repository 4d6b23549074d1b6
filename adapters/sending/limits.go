package sending

import (
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
)

// Turn is one message that is about to be intended.
type Turn struct {
	Account, Campaign domain.ID
	Settings          campaign.Settings
	Throttle          int    // messages an hour, as it is set now; 0: as many as there are
	Domain            string // the recipient's, A-labels, lower case
}

// Limits say who may be sent to now, before anything is intended. They are
// used by many goroutines at once.
type Limits interface {
	// Open is how many of a campaign may have their turn now, whatever their
	// domains; when none may, again is when asking is worth it. It takes no place.
	Open(t Turn, now time.Time) (n int, again time.Time)
	// Admit takes a place for one message, or says when asking again is worth it.
	Admit(t Turn, now time.Time) (again time.Time, ok bool)
	// Heard is told once for each admitted message how it ended; not tried: it
	// did not leave, and its place is free again. stop, unless "", is why the
	// campaign has to be paused.
	Heard(t Turn, r delivery.Reply, tried bool, now time.Time) (stop string)
}

// turn is the turn of somebody in the campaign.
func (s *Sender) turn(m *mailing, domain string) Turn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Turn{Account: m.account, Campaign: m.id, Settings: m.state.Settings, Throttle: m.state.Throttle, Domain: domain}
}

// open is how many of the campaign may have their turn now, and when to ask
// again if none may.
func (s *Sender) open(m *mailing) (n int, again time.Time) {
	if s.o.Limits == nil {
		return math.MaxInt, again
	}
	return s.o.Limits.Open(s.turn(m, ""), time.Now())
}

// admitted gives those who may have their turn now, and takes their places.
// The others are held back, and nothing is recorded of them.
func (g *segment) admitted(chunk []candidate) []candidate {
	if g.sender.o.Limits == nil {
		return chunk
	}
	turn, now := g.sender.turn(g.mailing, ""), time.Now()
	admitted := chunk[:0]
	for _, c := range chunk {
		turn.Domain = DomainOf(c.to.Email)
		again, ok := g.sender.o.Limits.Admit(turn, now)
		if !ok {
			g.held[c.Ordinal] = again
			continue
		}
		g.places[c.Ordinal] = turn.Domain
		admitted = append(admitted, c)
	}
	return admitted
}

// heard tells the limits how somebody's turn ended, once. A reason to stop
// pauses the campaign.
func (g *segment) heard(ordinal int, reply delivery.Reply, tried bool) {
	domain, admitted := g.places[ordinal]
	if !admitted {
		return
	}
	delete(g.places, ordinal)
	stop := g.sender.o.Limits.Heard(g.sender.turn(g.mailing, domain), reply, tried, time.Now())
	if stop == "" {
		return
	}
	g.sender.o.Logger.Warn("sending: a campaign is paused", "campaign", g.Campaign, "reason", stop)
	g.sender.tasks.Go(func() {
		_ = handle(g.ctx, g.sender, "pause a campaign", g.Mailing, commands.PauseCampaign{Campaign: g.Campaign, Reason: stop})
	})
}

// vacate gives back the places of those whose turn came to nothing.
func (g *segment) vacate() {
	for ordinal := range g.places {
		g.heard(ordinal, recalled, false)
	}
}

// rests takes those out of a turn who are held back, and says when the first
// of them may be asked about again: zero when nobody is.
func (g *segment) rests(turn []delivery.Recipient) (now []delivery.Recipient, next time.Time) {
	if len(g.held) == 0 {
		return turn, next
	}
	at := time.Now()
	now = slices.DeleteFunc(turn, func(r delivery.Recipient) bool {
		until, held := g.held[r.Ordinal]
		if !held || !until.After(at) {
			delete(g.held, r.Ordinal)
			return false
		}
		next = earlier(next, until)
		return true
	})
	return now, next
}

// DomainOf is an address's domain, as limits know it.
func DomainOf(email string) string {
	host := strings.ToLower(email[strings.LastIndexByte(email, '@')+1:])
	if plain(host) {
		return host
	}
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		return ascii
	}
	return host
}

// plain: in A-labels already.
func plain(host string) bool {
	for i := range len(host) {
		if host[i] >= utf8.RuneSelf {
			return false
		}
	}
	return !strings.Contains(host, "xn--")
}
