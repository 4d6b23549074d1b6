package relay

import (
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/cleversender/cleversender/domain/delivery"
)

const (
	silences  = 3 // in a row, before a server rests
	firstRest = time.Second
	longest   = time.Minute

	rounding = 1e-9 // less than a message
)

// server is one, and how it does. The relay's lock guards it.
type server struct {
	Server
	flying int // messages under way
	silent int // times in a row without an answer
	rest   time.Duration
	until  time.Time // it rests
	trial  bool      // somebody finds out whether it has rested enough

	spent  float64 // of its rate: short of a second's worth
	at     time.Time
	credit int // places that were taken ahead

	answers [delivery.NotReached + 1]uint64
	held    uint64
}

func newServer(s Server) *server {
	s.Connections = max(s.Connections, 1)
	s.From = slices.Clone(s.From)
	for i, p := range s.From {
		s.From[i] = canonical(p)
	}
	return &server{Server: s}
}

// takes reports that the server may have an author's mail.
func (s *server) takes(author, name string) bool {
	if name != "" && s.Name != name {
		return false
	}
	if len(s.From) == 0 || author == "" {
		return true
	}
	author = canonical(author)
	host := author[strings.LastIndexByte(author, '@')+1:]
	for _, p := range s.From {
		if sub, wild := strings.CutPrefix(p, "*."); wild && strings.HasSuffix(host, "."+sub) || p == host || p == author {
			return true
		}
	}
	return false
}

// canonical is an address or a domain in lower case, the domain in A-labels.
func canonical(s string) string {
	s = strings.ToLower(s)
	at := strings.LastIndexByte(s, '@') + 1
	wild := strings.HasPrefix(s[at:], "*.")
	if wild {
		at += len("*.")
	}
	if host, err := idna.Lookup.ToASCII(s[at:]); err == nil {
		return s[:at] + host
	}
	return s
}

// before reports that s has a place, or more room, rather than o.
func (s *server) before(o *server, now time.Time) bool {
	if a, b := s.credit > 0, o.credit > 0; a != b {
		return a
	}
	if a, b := s.wait(now) == 0, o.wait(now) == 0; a != b {
		return a
	}
	return s.flying*o.Connections < o.flying*s.Connections
}

func (s *server) rests(now time.Time) bool { return s.until.After(now) }

// trying: after a rest one message tries; the others wait for how it ends.
func (s *server) trying(now time.Time) {
	if s.silent >= silences {
		s.trial, s.until = true, now.Add(s.rest)
	}
}

// heard takes note of an answer, or that there was none.
func (s *server) heard(r delivery.Reply, now time.Time) {
	s.answers[r.Outcome]++
	if r.Outcome != delivery.NotSent {
		s.silent, s.rest, s.until, s.trial = 0, 0, time.Time{}, false
		return
	}
	if s.silent++; s.silent == silences || s.trial {
		s.rest = min(max(2*s.rest, firstRest), longest)
		s.until, s.trial = now.Add(s.rest), false
	}
}

// left is how many messages the rate leaves now.
func (s *server) left(now time.Time) float64 {
	if s.Rate <= 0 {
		return math.Inf(1)
	}
	if passed := now.Sub(s.at); passed > 0 {
		s.spent = math.Max(s.spent-passed.Seconds()*s.Rate, 0)
	}
	s.at = now
	return math.Max(1, s.Rate) - s.spent
}

// wait is how long until the rate leaves room for one; 0: there is.
func (s *server) wait(now time.Time) time.Duration {
	if short := 1 - s.left(now); short > rounding {
		return time.Duration(math.Ceil(short / s.Rate * float64(time.Second)))
	}
	return 0
}

// spend takes a place that was taken ahead, or one that will be there.
func (s *server) spend(now time.Time) time.Duration {
	if s.credit > 0 {
		s.credit--
		return 0
	}
	wait := s.wait(now)
	s.spent++
	return wait
}

// waive gives back what was spent.
func (s *server) waive() { s.spent = math.Max(s.spent-1, 0) }
