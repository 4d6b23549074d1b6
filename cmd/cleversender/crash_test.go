package main

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	smtpsink "github.com/cleversender/cleversender/adapters/smtp/sink"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
)

var (
	crashRecipients = flag.Int("crash.recipients", 5000, "TestCrash: how many people get the campaign")
	crashKills      = flag.Int("crash.kills", 3, "TestCrash: how often the server is killed on the way")
)

// inDoubt is how many a killed server leaves unknown, at most: the window of
// each segment in work, by the worker's defaults.
func inDoubt(people int) int {
	const window, segment = 200, 1000
	return window * min(max(4, 2*runtime.GOMAXPROCS(0)), (people+segment-1)/segment)
}

// A server that is killed (kill -9) again and again at random points of a
// campaign comes back and goes on by itself until the campaign is finished:
// nobody gets two messages, whoever got none is reported as unknown, those are
// few, and the log is whole.
func TestCrash(t *testing.T) {
	t.Parallel()
	people, kills := *crashRecipients, *crashKills
	most := inDoubt(people)
	stretch := people/kills - most // so many messages come before each kill but the first, whatever is unknown
	mail, h := newTally(t), newHouse(t)
	running := h.serve(mail.URL())
	mailing := h.draft(people)
	began := time.Now()
	held := mail.arm(stretch) // so that there is something left to kill it in
	h.cli("campaign", "start", mailing)
	for k := range kills {
		if k > 0 { // the first comes right after the start
			mail.await(held, running)
		}
		time.Sleep(rand.N(20 * time.Millisecond))
		t.Logf("kill %d after %d messages", k+1, mail.count())
		running.signal(syscall.SIGKILL)
		if code := running.wait(); code != -1 {
			t.Fatalf("the server ended by itself with %d: %s", code, running.said())
		}
		if k+1 < kills { // armed before it is released, so that the campaign waits for the next
			held = mail.arm(k*stretch + rand.IntN(stretch))
		} else {
			mail.disarm()
		}
		mail.release()
		running = h.serve(mail.URL())
	}
	r := running.finished(mailing)
	took := time.Since(began)
	running.signal(syscall.SIGTERM)
	if code := running.wait(); code != exitOK {
		t.Errorf("the last server exits with %d", code)
	}
	h.whole()
	twice := mail.twice()
	missing := mail.missing(people)
	lost := len(missing) - h.unknown(mailing, missing)
	t.Logf("kills %d, sent %d, unknown %d, withheld %d, failed %d, got nothing %d", kills, r.Sent, r.Unknown, r.Withheld, r.Failed, len(missing))
	t.Logf("duplicates %d, missing without being unknown %d, seconds %.1f", twice, lost, took.Seconds())
	if twice > 0 || lost > 0 {
		t.Error("somebody got two messages, or none and it is not known")
	}
	if r.Sent+r.Unknown != people || len(missing) > r.Unknown || r.Unknown > kills*most {
		t.Errorf("%d sent and %d unknown of %d, and %d got nothing; at most %d unknown a kill", r.Sent, r.Unknown, people, len(missing), most)
	}
}

// unknown counts those of the addresses whose message is recorded as in doubt.
func (h *house) unknown(mailing string, addresses []string) (n int) {
	h.t.Helper()
	ctx := h.t.Context()
	o := h.stores()
	o.Idle = true
	e, err := engine.Open(ctx, o)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() {
		if err := e.Close(ctx); err != nil {
			h.t.Error(err)
		}
	}()
	id, err := domain.ParseID(mailing)
	if err != nil {
		h.t.Fatal(err)
	}
	standing, account := map[domain.ID]delivery.Standing{}, domain.ID{}
	for k := 0; ; k++ {
		past, err := e.Journal.Load(ctx, delivery.Stream(id, k))
		if err != nil {
			h.t.Fatal(err)
		}
		if len(past) == 0 {
			break
		}
		var s delivery.Draft
		for _, e := range past {
			s.Apply(e.Data.(delivery.Event))
		}
		for i, person := range s.Subjects {
			standing[person], _ = s.Of(s.First+i, person)
		}
		account = past[0].Meta.Account
	}
	for _, a := range addresses {
		person, found, err := e.Keys.Find(ctx, account, a)
		if err != nil {
			h.t.Fatal(err)
		}
		if found && standing[person] == delivery.InDoubt {
			n++
		}
	}
	return n
}

// tally is a fast mail server that counts messages by recipient, and can hold
// one message's reply back while the client is killed.
type tally struct {
	*smtpsink.Sink
	mu    sync.Mutex
	got   map[string]int
	total int
	at    int           // the message that is held, or the next; 0: none
	held  chan struct{} // closed when it is
	free  chan struct{} // closed by release
}

func newTally(t *testing.T) *tally {
	t.Helper()
	m := &tally{got: map[string]int{}, free: make(chan struct{})}
	var err error
	if m.Sink, err = smtpsink.Listen(smtpsink.Options{Answer: m.take}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.release(); _ = m.Close() })
	return m
}

// take counts a message that has come to its end, as one that is delivered.
func (m *tally) take(_, to string) int {
	m.mu.Lock()
	m.got[to]++
	m.total++
	free := m.free
	holding := m.at > 0 && m.total >= m.at
	if holding {
		m.at = 0
		close(m.held)
	}
	m.mu.Unlock()
	if holding {
		<-free
	}
	return 250
}

// await waits until a message is held; what the server says tells why none is.
func (m *tally) await(held <-chan struct{}, s *server) {
	select {
	case <-held:
	case <-time.After(time.Minute):
		s.t.Fatalf("no more than %d messages come: %s", m.count(), s.said())
	}
}

// arm has the reply to the nth message wait for release, and with it the end of
// the campaign; held is closed then.
func (m *tally) arm(n int) (held <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at, m.held = max(n, 1), make(chan struct{})
	return m.held
}

func (m *tally) disarm() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = 0
}

func (m *tally) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	close(m.free)
	m.free = make(chan struct{})
}

func (m *tally) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.total
}

// twice counts who got more than one message.
func (m *tally) twice() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, times := range m.got {
		if times > 1 {
			n++
		}
	}
	return n
}

// missing lists who of the house's first n readers got nothing.
func (m *tally) missing(n int) (addresses []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range n {
		if m.got[reader(i)] == 0 {
			addresses = append(addresses, reader(i))
		}
	}
	return addresses
}
