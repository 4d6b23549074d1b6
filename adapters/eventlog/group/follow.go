package group

import (
	"context"
	"iter"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
)

// Read reads from the database a page of what lies after one position and not
// after another, of these types, or of all when nil.
type Read func(ctx context.Context, after, head event.Position, types map[string]bool, batch int) (eventlog.Page, error)

// Follow is eventlog.Log's: from the database while what follows has left
// memory, then from the tail. It ends when closing is closed.
func (t *Tail) Follow(ctx context.Context, closing <-chan struct{}, read Read, after event.Position, types []string, batch int) iter.Seq2[eventlog.Page, error] {
	f := follower{t, read, closing, nil, batch}
	if types != nil {
		f.types = map[string]bool{}
		for _, name := range types {
			f.types[name] = true
		}
	}
	return func(yield func(eventlog.Page, error) bool) {
		after := after
		for first := true; ; first = false {
			page, grown, ok, err := t.page(after, f.types, batch)
			switch {
			case err != nil:
				yield(eventlog.Page{}, err)
				return
			case !ok:
				if after, ok = f.catchUp(ctx, after, yield); !ok {
					return
				}
			case page.Next > after || first:
				if f.ended(ctx) || !yield(page, nil) {
					return
				}
				after = page.Next
			default:
				select {
				case <-grown:
				case <-ctx.Done():
					return
				case <-closing:
					return
				}
			}
		}
	}
}

type follower struct {
	tail    *Tail
	read    Read
	closing <-chan struct{}
	types   map[string]bool
	batch   int
}

func (f *follower) ended(ctx context.Context) bool {
	select {
	case <-f.closing:
		return true
	default:
		return ctx.Err() != nil
	}
}

type pageRead struct {
	page eventlog.Page
	err  error
}

// catchUp yields pages from the database up to what was the head when it
// began. It reads ahead while the consumer works. ok is false when following ends.
func (f *follower) catchUp(ctx context.Context, after event.Position, yield func(eventlog.Page, error) bool) (_ event.Position, ok bool) {
	ctx, cancel := context.WithCancel(ctx)
	reads := make(chan pageRead, 1)
	go func() {
		defer close(reads)
		head := f.tail.Position()
		for at := after; at < head; {
			page, err := f.read(ctx, at, head, f.types, f.batch)
			select {
			case reads <- pageRead{page, err}:
			case <-ctx.Done():
				return
			case <-f.closing:
				return
			}
			if err != nil {
				return
			}
			at = page.Next
		}
	}()
	defer func() {
		cancel()
		for range reads { // until it has let go of its connection
		}
	}()
	for r := range reads {
		if f.ended(ctx) {
			return after, false
		}
		if r.err != nil {
			yield(eventlog.Page{}, r.err)
			return after, false
		}
		if !yield(r.page, nil) {
			return after, false
		}
		after = r.page.Next
	}
	return after, !f.ended(ctx)
}
