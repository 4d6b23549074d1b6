// Package relay chooses which of several mail servers takes a message, and
// goes on to the next when one cannot be reached.
//
//   - A message goes to the server that it names, or else to one that takes mail
//     of its author. Of those, only the ones with the lowest priority number that
//     can be reached; of equals, the one with the most room.
//   - A server that gave no answer three times in a row rests: a second at first,
//     then twice as long each time, up to a minute. After a rest one message tries.
//     While every server that may take a message rests, they are tried all the same.
//   - An answer is final: what one server refused, or may have taken, no other is
//     asked about (delivery.NotSent is what says that nothing has left).
//   - A server's rate lets a second's worth go at once. Places are taken ahead, by
//     Admit; a message without one waits in Send.
package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
)

// Server is one that takes our mail.
type Server struct {
	Name        string   // in campaigns, answers and metrics
	Only        bool     // nobody gave it a name: answers leave it out
	From        []string // whose mail it takes: "news@example.org", "example.org", "*.example.org"; none: everybody's
	Priority    int      // lower comes first; 0 to begin with
	Rate        float64  // messages a second; 0: as many as it takes
	Connections int      // for sharing the load among equals; at least 1
	// Send hands over one message, as sending.Transport does.
	Send func(ctx context.Context, from, to string, data []byte) delivery.Reply
	// Connected is how many connections are open; may be nil.
	Connected func() int
}

// Letter is a message on its way.
type Letter struct {
	From, To string // RFC 5321 paths
	Data     []byte
	Author   string // whose mail it is, the address in its From field
	Server   string // the one that has to take it; "": any that may
}

var (
	// ErrUnknown: there is no server of this name.
	ErrUnknown = domain.Refuse("unknown_server", "no mail server has this name")
	// ErrNobody: no server takes this author's mail.
	ErrNobody = domain.Refuse("no_server_for_sender", "no mail server takes mail from this address")

	errNone = errors.New("relay: no server is named")
)

// Relay is all servers. It is used by many goroutines at once.
type Relay struct {
	limited bool // some server has a rate
	mu      sync.Mutex
	servers []*server // by priority
}

// New makes a relay of at least one server; their names differ.
func New(servers []Server) (*Relay, error) {
	if len(servers) == 0 {
		return nil, errNone
	}
	r := &Relay{}
	for i, s := range servers {
		for _, other := range servers[:i] {
			if other.Name == s.Name {
				return nil, fmt.Errorf("two mail servers are called %q: give them names", s.Name)
			}
		}
		r.servers = append(r.servers, newServer(s))
		r.limited = r.limited || s.Rate > 0
	}
	slices.SortStableFunc(r.servers, func(a, b *server) int { return cmp.Compare(a.Priority, b.Priority) })
	return r, nil
}

// Check refuses a name that no server has, and an author whose mail none
// takes. An empty author is anybody's.
func (r *Relay) Check(author, name string) error {
	named := false
	for _, s := range r.servers {
		if s.takes(author, name) {
			return nil
		}
		named = named || s.Name == name
	}
	if name != "" && !named {
		return ErrUnknown
	}
	return ErrNobody
}

// Send hands a message to one server after the other, until one answers. When
// none does, or none may be asked, or ctx ends, it is not sent.
func (r *Relay) Send(ctx context.Context, l Letter) delivery.Reply {
	if l.Author == "" {
		l.Author = l.From
	}
	reply := delivery.Reply{Outcome: delivery.NotSent, Text: ErrNobody.Error()}
	var tried []*server
	for {
		s, wait := r.begin(l, tried, time.Now())
		if s == nil {
			return reply
		}
		if !sleep(ctx, wait) {
			r.recall(s)
			return delivery.Reply{Outcome: delivery.NotSent, Text: ctx.Err().Error()}
		}
		reply = s.Send(ctx, l.From, l.To, l.Data)
		if !s.Only {
			reply.Server = s.Name
		}
		silent := reply.Outcome == delivery.NotSent
		final := !silent || ctx.Err() != nil
		r.end(s, reply, final && silent, time.Now())
		if final {
			return reply
		}
		tried = append(tried, s)
	}
}

// begin picks a server that has not been tried, and takes a place on it, which
// is there after a while.
func (r *Relay) begin(l Letter, tried []*server, now time.Time) (best *server, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.tier(l.Author, l.Server, tried, now) {
		if best == nil || s.before(best, now) {
			best = s
		}
	}
	if best == nil {
		return nil, 0
	}
	best.flying++
	best.trying(now)
	return best, best.spend(now)
}

// end takes note of how a server was heard, unless we broke off.
func (r *Relay) end(s *server, reply delivery.Reply, brokeOff bool, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.flying--
	if !brokeOff {
		s.heard(reply, now)
	}
}

// recall gives back a place that was begun and not used.
func (r *Relay) recall(s *server) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.flying--
	s.waive()
}

// tier is the servers of equal rank that may have the message now: the first
// that do not rest, or, when all do, the ones that rest.
func (r *Relay) tier(author, name string, except []*server, now time.Time) (best []*server) {
	var resting []*server
	for _, s := range r.servers {
		switch {
		case !s.takes(author, name) || slices.Contains(except, s):
		case s.rests(now):
			if len(resting) == 0 || resting[0].Priority == s.Priority {
				resting = append(resting, s)
			}
		case len(best) == 0 || best[0].Priority == s.Priority:
			best = append(best, s)
		}
	}
	if len(best) == 0 {
		return resting
	}
	return best
}

func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
