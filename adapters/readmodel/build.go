package readmodel

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// build is one model that is folded from the first event.
type build struct {
	p     projections.Projection
	model Model
	at    event.Position // where it is
	upTo  event.Position // where it ends
	pages chan eventlog.RecordedPage
}

// run reads the log once for several builds: the log reads ahead, this
// goroutine decodes, and each build folds on one of its own.
func run(ctx context.Context, source Source, builds []*build, progress func(done, head event.Position)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	from, upTo := span(builds)
	var folding sync.WaitGroup
	for _, b := range builds {
		b.pages = make(chan eventlog.RecordedPage, 1)
		folding.Go(func() {
			if err := b.fold(ctx); err != nil {
				cancel(fmt.Errorf("projection %s: %w", b.p.ID(), err))
			}
		})
	}
	if from < upTo {
		if err := feed(ctx, source, builds, from, upTo, progress); err != nil {
			cancel(err)
		}
	}
	for _, b := range builds {
		close(b.pages)
	}
	folding.Wait()
	return context.Cause(ctx)
}

func feed(ctx context.Context, source Source, builds []*build, from, upTo event.Position, progress func(done, head event.Position)) error {
	types, decode := union(builds)
	for page, err := range source.FollowStored(ctx, from, types, buildSize) {
		if err != nil {
			return err
		}
		decoded, err := source.DecodePage(page, decode)
		if err != nil {
			return err
		}
		for _, b := range builds {
			select {
			case b.pages <- decoded:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if progress != nil {
			progress(min(page.Next, upTo), upTo)
		}
		if page.Next >= upTo {
			return nil
		}
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return errors.New("the log ended before its head")
}

// fold takes pages in until there are no more; the model is at upTo then.
func (b *build) fold(ctx context.Context) error {
	types := setOf(b.p.Types)
	var own eventlog.RecordedPage // used again for each page: a fold keeps none of it
	stored := b.at
	for page := range b.pages {
		if page.Next <= b.at || b.at >= b.upTo {
			continue
		}
		if types != nil {
			only(&own, page, types)
			page = own
		}
		next := batch(b.p, page, b.at, b.upTo)
		if b.at = next.Next; next.Fold == nil && len(next.Poison) == 0 {
			continue
		}
		next.From = stored
		if err := b.model.Apply(ctx, next); err != nil {
			return err
		}
		stored = next.Next
	}
	if stored == b.at {
		return nil
	}
	return b.model.Apply(ctx, Batch{From: stored, Next: b.at})
}

// only keeps what one projection folds of a page that is read for several.
func only(out *eventlog.RecordedPage, page eventlog.RecordedPage, types map[string]bool) {
	*out = eventlog.RecordedPage{Next: page.Next, Events: out.Events[:0], Poison: out.Poison[:0]}
	for _, e := range page.Events {
		if types[e.Type] {
			out.Events = append(out.Events, e)
		}
	}
	for _, p := range page.Poison {
		if types[p.Event.Type] {
			out.Poison = append(out.Poison, p)
		}
	}
}

// span is from where to where builds have to read.
func span(builds []*build) (from, upTo event.Position) {
	for i, b := range builds {
		if i == 0 || b.at < from {
			from = b.at
		}
		upTo = max(upTo, b.upTo)
	}
	return from, upTo
}

// union is what several builds want to see, and to have decoded.
func union(builds []*build) (types []string, decode map[string]bool) {
	all := false
	decode = map[string]bool{}
	seen := map[string]bool{}
	for _, b := range builds {
		all = all || b.p.Types == nil
		for _, t := range b.p.Types {
			if !seen[t] {
				seen[t] = true
				types = append(types, t)
			}
		}
		switch d := decodes(b.p); {
		case d == nil:
			decode = nil
		case decode != nil:
			for t := range d {
				decode[t] = true
			}
		}
	}
	if all {
		types = nil
	}
	return types, decode
}
