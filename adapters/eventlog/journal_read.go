package eventlog

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// Load returns a stream's events with their personal values open: what a
// command decides on.
func (j *Journal) Load(ctx context.Context, stream string) ([]event.Recorded, error) {
	var all []event.Recorded
	for batch, err := range j.log.ReadStream(ctx, stream, 0, 1000) {
		if err != nil {
			return nil, err
		}
		decoded, err := j.decode(batch)
		if err != nil {
			return nil, err
		}
		all = append(all, decoded...)
	}
	return all, j.Open(ctx, all)
}

// First returns the event that a stream begins with, sealed; found is false for
// a stream that does not exist.
func (j *Journal) First(ctx context.Context, stream string) (first event.Recorded, found bool, err error) {
	for batch, err := range j.log.ReadStream(ctx, stream, 0, 1) {
		if err != nil {
			return event.Recorded{}, false, err
		}
		first, err = j.decodeOne(batch[0])
		return first, err == nil, err
	}
	return event.Recorded{}, false, nil
}

// ReadAt returns the events at these positions, sealed.
func (j *Journal) ReadAt(ctx context.Context, positions []event.Position) ([]event.Recorded, error) {
	stored, err := j.log.ReadAt(ctx, positions)
	if err != nil {
		return nil, err
	}
	return j.decode(stored)
}

// ReadFor is ReadAt on behalf of one person: of an event about several it
// returns what is about this one.
func (j *Journal) ReadFor(ctx context.Context, person domain.ID, positions []event.Position) ([]event.Recorded, error) {
	events, err := j.ReadAt(ctx, positions)
	for i, e := range events {
		if shared, ok := e.Data.(event.Shared); ok {
			events[i].Data = shared.Only(person)
		}
	}
	return events, err
}

// RecordedPage is a Page, decoded. Poison lists events that could not be
// decoded; they are left out of Events.
type RecordedPage struct {
	Events []event.Recorded
	Poison []PoisonEvent
	Next   event.Position
}

// PoisonEvent is one that cannot be read, and why.
type PoisonEvent struct {
	Event event.Stored
	Err   error
}

// Follow yields decoded, sealed pages, as Log.Follow does. It ends with
// event.ErrNewer at an event from the future.
func (j *Journal) Follow(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[RecordedPage, error] {
	return func(yield func(RecordedPage, error) bool) {
		for page, err := range j.log.Follow(ctx, after, types, batch) {
			out := RecordedPage{Next: page.Next}
			if err == nil {
				err = j.decodePage(page.Events, nil, &out)
			}
			if !yield(out, err) || err != nil {
				return
			}
		}
	}
}

// FollowStored yields pages as Log.Follow does, for DecodePage: two halves of
// Follow that can run side by side.
func (j *Journal) FollowStored(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[Page, error] {
	return j.log.Follow(ctx, after, types, batch)
}

// DecodePage decodes the events of these types (nil: all); the others come
// without Data. It is event.ErrNewer at an event from the future, with what
// comes before it.
func (j *Journal) DecodePage(page Page, types map[string]bool) (RecordedPage, error) {
	out := RecordedPage{Next: page.Next}
	err := j.decodePage(page.Events, types, &out)
	return out, err
}

func (j *Journal) decodePage(stored []event.Stored, types map[string]bool, out *RecordedPage) error {
	out.Events = make([]event.Recorded, 0, len(stored))
	for _, s := range stored {
		if types != nil && !types[s.Type] {
			if err := j.catalog.Reads(s.Type, s.Version); err != nil {
				return fmt.Errorf("event %s at %d: %w", s.ID, s.Position, err)
			}
			out.Events = append(out.Events, envelope(s))
			continue
		}
		r, err := j.decodeOne(s)
		switch {
		case errors.Is(err, event.ErrNewer):
			return err
		case err != nil:
			out.Poison = append(out.Poison, PoisonEvent{s, err})
		default:
			out.Events = append(out.Events, r)
		}
	}
	return nil
}

// Head is the position of the last event of the log.
func (j *Journal) Head(ctx context.Context) (event.Position, error) { return j.log.Head(ctx) }

func (j *Journal) decode(stored []event.Stored) ([]event.Recorded, error) {
	out := make([]event.Recorded, len(stored))
	for i, s := range stored {
		var err error
		if out[i], err = j.decodeOne(s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (j *Journal) decodeOne(s event.Stored) (event.Recorded, error) {
	data, err := j.catalog.Decode(s.Type, s.Version, s.Data)
	if err != nil {
		return event.Recorded{}, fmt.Errorf("event %s at %d: %w", s.ID, s.Position, err)
	}
	r := envelope(s)
	r.Data = data
	return r, nil
}

// envelope is a stored event without its data.
func envelope(s event.Stored) event.Recorded {
	return event.Recorded{
		Stream: s.Stream, Revision: s.Revision, Position: s.Position, ID: s.ID,
		Type: s.Type, At: s.At, Meta: s.Meta,
	}
}
