package desk_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/cleversender/cleversender/adapters/desk"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/privacyrequest"
	"github.com/cleversender/cleversender/domain/subscriber"
)

var errCrash = errors.New("the power went")

// crash stops the desk at its n-th step: before the step is done, or after.
type crash struct {
	n, at int
	done  bool
}

func (c *crash) step(do func() error) error {
	c.n++
	switch {
	case c.n != c.at:
		return do()
	case c.done:
		return errors.Join(errCrash, do())
	default:
		return errCrash
	}
}

func step1[T any](c *crash, do func() (T, error)) (out T, err error) {
	failed := c.step(func() error { out, err = do(); return err })
	return out, failed
}

// every port of the desk, crashing.
type crashing struct {
	desk.Options
	*crash
}

type crashingJournal struct {
	desk.Journal
	*crash
}

func (j crashingJournal) Load(ctx context.Context, stream string) ([]event.Recorded, error) {
	return step1(j.crash, func() ([]event.Recorded, error) { return j.Journal.Load(ctx, stream) })
}

func (j crashingJournal) Record(ctx context.Context, stream string, expect uint64, drafts []event.Draft) (event.Position, error) {
	return step1(j.crash, func() (event.Position, error) { return j.Journal.Record(ctx, stream, expect, drafts) })
}

func (j crashingJournal) ReadFor(ctx context.Context, person domain.ID, at []event.Position) ([]event.Recorded, error) {
	return step1(j.crash, func() ([]event.Recorded, error) { return j.Journal.ReadFor(ctx, person, at) })
}

func (j crashingJournal) Open(ctx context.Context, events []event.Recorded) error {
	return j.step(func() error { return j.Journal.Open(ctx, events) })
}

func (j crashingJournal) Head(ctx context.Context) (event.Position, error) {
	return step1(j.crash, func() (event.Position, error) { return j.Journal.Head(ctx) })
}

func (c crashing) Shred(ctx context.Context, subject domain.ID) (int, error) {
	past, err := c.Journal.Load(ctx, subscriber.Stream(subject))
	if _, redacted := past[len(past)-1].Data.(subscriber.Erased); err != nil || !redacted {
		return 0, errors.New("keys are destroyed of a person who is not redacted")
	}
	return step1(c.crash, func() (int, error) { return c.Keys.Shred(ctx, subject) })
}

func (c crashing) Purge(ctx context.Context) error {
	return c.step(func() error { return c.Keys.Purge(ctx) })
}

func (c crashing) Forget(ctx context.Context, account domain.ID, address string, person domain.ID, suppress bool) error {
	return c.step(func() error { return c.Directory.Forget(ctx, account, address, person, suppress) })
}

type crashingModels struct {
	desk.Models
	*crash
}

func (m crashingModels) WaitAll(ctx context.Context, at event.Position) error {
	return m.step(func() error { return m.Models.WaitAll(ctx, at) })
}

func (m crashingModels) Purge(ctx context.Context) error {
	return m.step(func() error { return m.Models.Purge(ctx) })
}

func (h *house) crashing(c *crash) *desk.Desk {
	o := h.options()
	ports := crashing{h.options(), c}
	o.Journal, o.Keys, o.Directory = crashingJournal{o.Journal, c}, ports, ports
	o.Models = crashingModels{o.Models, c}
	subjects := o.Subjects
	o.Subjects = func(ctx context.Context, person domain.ID, upTo event.Position) ([]event.Position, error) {
		return step1(c, func() ([]event.Position, error) { return subjects(ctx, person, upTo) })
	}
	return desk.New(o)
}

// checkHeld expects one event in the person's stream that the request led to,
// and one certificate that names it.
func checkHeld(t *testing.T, h *house, task desk.Task, hold func(any) (request domain.ID, ok bool)) {
	t.Helper()
	past, err := h.journal.Load(ctx, subscriber.Stream(task.Person))
	h.must(err)
	var from []domain.ID
	for _, e := range past {
		if request, ok := hold(e.Data); ok && request == task.Request {
			from = append(from, e.ID)
		}
	}
	answers := h.events(privacyrequest.Stream(task.Request))
	if len(from) != 1 || len(answers) != 2 {
		t.Fatalf("%d events of the person, %d of the request", len(from), len(answers))
	}
	switch done := answers[1].(type) {
	case privacyrequest.RestrictionFulfilled:
		from = append(from, done.Hold)
	case privacyrequest.ObjectionFulfilled:
		from = append(from, done.Hold)
	}
	if len(from) != 2 || from[0] != from[1] {
		t.Errorf("the certificate is %+v, of %v", answers[1], from[0])
	}
}

// Every step of a request, crossed with failed and not done, failed but done:
// begun again, the outcome is that of an undisturbed one.
func TestWhereverTheDeskStopsItGoesOnToTheSameEnd(t *testing.T) {
	h := newHouse(t)
	someone := 0
	join := func() domain.ID {
		someone++
		person := h.join(fmt.Sprintf("person%d@example.org", someone), "Any Body", map[string]string{"n": "1"})
		h.engage(person)
		return person
	}
	check := map[privacyrequest.Kind]func(*testing.T, desk.Task){
		privacyrequest.Erasure: func(t *testing.T, task desk.Task) {
			checkErased(t, h, task, 3, 4)
			reserved, err := h.keys.Reserve(ctx, h.account, []string{fmt.Sprintf("person%d@example.org", someone)})
			h.must(err)
			if !reserved[0].Suppressed {
				t.Error("not suppressed")
			}
		},
		privacyrequest.Access: func(t *testing.T, task desk.Task) {
			if n := len(h.events(privacyrequest.Stream(task.Request))); n != 2 {
				t.Errorf("%d events", n)
			}
		},
		privacyrequest.Restriction: func(t *testing.T, task desk.Task) {
			checkHeld(t, h, task, func(e any) (domain.ID, bool) { r, ok := e.(subscriber.Restricted); return r.Request, ok })
		},
		privacyrequest.Objection: func(t *testing.T, task desk.Task) {
			checkHeld(t, h, task, func(e any) (domain.ID, bool) { o, ok := e.(subscriber.Objected); return o.Request, ok })
		},
	}
	for kind, check := range check {
		undisturbed := &crash{}
		h.must(h.crashing(undisturbed).Fulfil(ctx, h.ask(kind, join())))
		if undisturbed.n < 5 {
			t.Fatalf("%s takes %d steps: the crashes do not reach them", kind, undisturbed.n)
		}
		for at := 1; at <= undisturbed.n; at++ {
			for _, done := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/step %d/done %v", kind, at, done), func(t *testing.T) {
					task := h.ask(kind, join())
					if err := h.crashing(&crash{at: at, done: done}).Fulfil(ctx, task); !errors.Is(err, errCrash) {
						t.Fatalf("got %v", err)
					}
					for range 2 { // the second changes nothing
						h.must(desk.New(h.options()).Fulfil(ctx, task))
						check(t, task)
					}
				})
			}
		}
	}
}
