package outbox_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/memory"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/adapters/sending/outbox"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/messages"
	"github.com/cleversender/cleversender/projections/projectiontest"
)

// world is a log, people, and a server that counts what it takes.
type world struct {
	t       testing.TB
	journal *eventlog.Journal
	account domain.ID
	keys    *keys
	sink    *sink
}

func newWorld(t testing.TB) *world {
	k := &keys{gone: map[domain.ID]bool{}}
	return &world{
		t: t, account: domain.ID{1}, keys: k, sink: &sink{took: map[string]int{}},
		journal: eventlog.NewJournal(memory.New(), catalog.All, k, time.Now),
	}
}

func person(i int) domain.ID { return domain.ID{2, 15: byte(i)} }
func letter(i int) domain.ID { return domain.ID{3, 15: byte(i)} }
func address(i int) string   { return fmt.Sprintf("reader%d@example.org", i) }
func ask(w *world, n int) {
	w.t.Helper()
	for i := range n {
		w.ask(i)
	}
}

func handle[S commands.State[S, E], E any](w *world, c commands.Command[S, E]) {
	w.t.Helper()
	req := commands.Request{ID: domain.ID{9}.Derive(fmt.Sprintf("%#v", c) + time.Now().String()), Account: w.account}
	if _, err := commands.Handle(context.Background(), w.journal, req, c); err != nil {
		w.t.Fatalf("%T: %v", c, err)
	}
}

// ask requests a message to somebody.
func (w *world) ask(i int) {
	w.t.Helper()
	handle(w, commands.AddAddressee{Person: person(i), Email: personal.Of(address(i))})
	handle(w, commands.RequestMessage{Message: letter(i), Person: person(i), Request: message.Requested{
		Kind: message.Transactional, Template: domain.ID{4}, TemplateRevision: 1, SHA256: hex.EncodeToString(make([]byte, 32)),
		FromEmail: "shop@example.com", To: personal.Of(address(i)), Name: personal.Of("Reader"),
		Variables: personal.FieldsOf(map[string]string{"order": "17"}),
	}})
}

// state is what the log says of a message.
func (w *world) state(i int) message.Message {
	w.t.Helper()
	o, err := commands.Own[message.Message, message.Event](context.Background(), w.journal, w.account, message.Stream(letter(i)))
	if err != nil {
		w.t.Fatal(err)
	}
	return o.State
}

// settled waits, in the bubble's time, until nothing more is to happen to n messages.
func (w *world) settled(n int) {
	w.t.Helper()
	for range 50_000 {
		open := 0
		for i := range n {
			if s := w.state(i).Status; s.Due() || s == message.Pending {
				open++
			}
		}
		if open == 0 {
			return
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
	}
	w.t.Fatalf("message 0 is still %s", w.state(0).Status)
}

// all expects that n messages ended so.
func (w *world) all(n int, want message.Status) {
	w.t.Helper()
	for i := range n {
		if got := w.state(i).Status; got != want {
			w.t.Errorf("message %d is %s, want %s", i, got, want)
		}
	}
}

// options are a worker's.
func (w *world) options() outbox.Options {
	return outbox.Options{Journal: w.journal, Backlog: &backlog{w: w}, Compose: compose, Transport: w.sink, Connections: 2}
}

// run starts a worker in the bubble; the test ends with stop.
func run(t testing.TB, o outbox.Options) (stop func()) {
	w := outbox.New(o)
	var ran sync.WaitGroup
	ran.Go(func() {
		if err := w.Run(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return func() {
		if err := w.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		ran.Wait()
	}
}

// compose puts what is asked for into a message.
func compose(_ context.Context, o outbox.Order) (sending.Message, error) {
	return sending.Message{From: o.FromEmail, Author: o.FromEmail, To: o.Email, Data: []byte(o.Message.String() + " " + o.Name + " " + o.Variables["order"])}, nil
}

// backlog is the projection, folded when it is waited for.
type backlog struct {
	w    *world
	rows projectiontest.Tables
}

// WaitFor implements outbox.Backlog.
func (b *backlog) WaitFor(ctx context.Context, at event.Position) error {
	positions := make([]event.Position, at)
	for i := range positions {
		positions[i] = event.Position(i + 1)
	}
	events, err := b.w.journal.ReadAt(ctx, positions)
	if err != nil {
		return err
	}
	b.rows, err = projectiontest.Fold(messages.Projection, events)
	return err
}

// Open implements outbox.Backlog.
func (b *backlog) Open(ctx context.Context, after domain.ID, limit int) ([]messages.Message, error) {
	return messages.Open(ctx, b.rows, after, min(limit, 2))
}

// keys derives a key for everybody who is not gone, and keeps none.
type keys struct {
	mu   sync.Mutex
	gone map[domain.ID]bool
}

// Ensure implements eventlog.Keyring.
func (k *keys) Ensure(_ context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]cipher.AEAD, len(refs))
	for i, r := range refs {
		if k.gone[r.Subject] {
			continue
		}
		sum := sha256.Sum256(append(r.Subject[:], byte(r.Class)))
		block, err := aes.NewCipher(sum[:])
		if err != nil {
			return nil, err
		}
		if out[i], err = cipher.NewGCM(block); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Lookup implements eventlog.Keyring.
func (k *keys) Lookup(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	return k.Ensure(ctx, refs)
}

// erase redacts a person and destroys their keys.
func (w *world) erase(i int) {
	w.t.Helper()
	handle(w, commands.EraseSubscriber{Person: person(i), Request: domain.ID{8}})
	w.keys.mu.Lock()
	defer w.keys.mu.Unlock()
	w.keys.gone[person(i)] = true
}

func (w *world) suppress(i int, why subscriber.Hold) {
	w.t.Helper()
	handle(w, commands.SuppressSubscriber{Person: person(i), Reason: why})
}

// sink takes messages and counts them by address.
type sink struct {
	mu     sync.Mutex
	took   map[string]int
	data   []string
	sends  int
	answer func(n int, to string) (delivery.Reply, bool) // of the nth send: what is said, and whether it was taken
}

var yes = delivery.Reply{Outcome: delivery.Taken, Code: 250}

// Send implements sending.Transport.
func (s *sink) Send(_ context.Context, m sending.Message) delivery.Reply {
	s.mu.Lock()
	s.sends++
	n, answer := s.sends, s.answer
	s.mu.Unlock()
	reply, taken := yes, true
	if answer != nil {
		reply, taken = answer(n, m.To)
	}
	if taken {
		s.mu.Lock()
		s.took[m.To]++
		s.data = append(s.data, string(m.Data))
		s.mu.Unlock()
	}
	return reply
}

func (s *sink) count(i int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.took[address(i)]
}
