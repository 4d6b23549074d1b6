package record_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/adapters/bounce/record"
	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/memory"
	"github.com/cleversender/cleversender/adapters/tracking"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

const ours = "bounces.example.org"

var (
	account  = domain.ID{1}
	campaign = domain.ID{2}
	single   = domain.ID{3} // a message outside every campaign, to person 0
	noon     = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
)

func person(i int) domain.ID { return domain.ID{4, 15: byte(i)} }

// world is a log with people, the segments of a campaign to them, and a recorder.
type world struct {
	t       *testing.T
	journal *eventlog.Journal
	cursor  *cursor
	signer  *tracking.Signer
	metrics *prometheus.Registry
	log     bytes.Buffer
	*record.Recorder
	adds int
}

// newWorld has a campaign whose segments have so many recipients each.
func newWorld(t *testing.T, segments ...int) *world {
	t.Helper()
	signer, err := tracking.NewSigner(map[byte][]byte{1: bytes.Repeat([]byte{7}, 32)}, 1)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, journal: eventlog.NewJournal(memory.New(), catalog.All, keys{}, func() time.Time { return noon }),
		cursor: &cursor{}, signer: signer, metrics: prometheus.NewRegistry(),
	}
	n := 0
	for k, size := range segments {
		planned := delivery.Planned{Campaign: campaign, First: n}
		for range size {
			planned.Subjects = append(planned.Subjects, person(n))
			w.add(subscriber.Stream(person(n)), person(n), subscriber.Added{Email: personal.Of(fmt.Sprintf("p%d@example.com", n))})
			n++
		}
		w.add(delivery.Stream(campaign, k), domain.ID{}, planned)
	}
	w.add(message.Stream(single), person(0), message.Requested{Kind: message.Transactional})
	w.Recorder = record.New(w.options(w.journal))
	return w
}

func (w *world) options(j record.Journal) record.Options {
	return record.Options{
		Journal: j, Cursor: w.cursor, Signer: w.signer, NoOrdinal: tracking.NoOrdinal, Domain: ours, Now: func() time.Time { return noon },
		Logger: slog.New(slog.NewTextHandler(&w.log, nil)), Metrics: w.metrics,
	}
}

// add appends to the end of a stream.
func (w *world) add(stream string, subject domain.ID, data any) {
	w.t.Helper()
	past, err := w.journal.Load(context.Background(), stream)
	if err != nil {
		w.t.Fatal(err)
	}
	w.adds++
	_, err = w.journal.Append(context.Background(), stream, uint64(len(past)), event.Draft{
		ID: account.Derive(fmt.Sprint(w.adds)), Meta: event.Meta{Account: account, Subject: subject}, Data: data,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// path is the return path of a recipient's message.
func (w *world) path(ordinal int) string { return w.signer.BounceAddress(campaign, ordinal, ours) }

// told is what a person's stream says since they were added, a word an event.
func (w *world) told(i int) string {
	w.t.Helper()
	past, err := w.journal.Load(context.Background(), subscriber.Stream(person(i)))
	if err != nil {
		w.t.Fatal(err)
	}
	var words []string
	for _, e := range past[1:] {
		switch e := e.Data.(type) {
		case bounce.Received:
			words = append(words, string(e.Kind))
		case bounce.Complained:
			words = append(words, "complaint")
		case subscriber.Suppressed:
			words = append(words, "suppressed:"+string(e.Reason))
		default:
			words = append(words, fmt.Sprintf("%T", e))
		}
	}
	return strings.Join(words, " ")
}

// counted is the metric, a line a label set.
func (w *world) counted() string {
	w.t.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			lines = append(lines, fmt.Sprintf("%s %g", strings.Join(labels, " "), m.GetCounter().GetValue()))
		}
	}
	return strings.Join(lines, "; ")
}

// cursor is a position in memory.
type cursor struct {
	mu    sync.Mutex
	at    event.Position
	taken bool // by another node
}

func (c *cursor) Turn(context.Context) (event.Position, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at, !c.taken, nil
}

func (c *cursor) take(taken bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = taken
}

func (c *cursor) Leave(context.Context) error { return nil }

func (c *cursor) Save(_ context.Context, from, to event.Position) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken {
		return record.ErrTaken
	}
	if c.at != from {
		return fmt.Errorf("at %d, not %d", c.at, from)
	}
	c.at = to
	return nil
}

// keys derives every key from what it is for.
type keys struct{}

func (keys) Ensure(_ context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	out := make([]cipher.AEAD, len(refs))
	for i, r := range refs {
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

func (k keys) Lookup(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	return k.Ensure(ctx, refs)
}
