package eventlog

import (
	"context"
	"fmt"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

// Open makes the personal values of events plain, in place; those whose key
// was destroyed become erased. Ask only on behalf of somebody entitled to them.
func (j *Journal) Open(ctx context.Context, events []event.Recorded) error {
	keys := keyset{}
	var refs []personal.KeyRef
	for _, e := range events {
		if err := j.collect(e.Meta.Subject, e.Data, keys, &refs); err != nil {
			return err
		}
	}
	if err := j.fill(ctx, keys, refs, j.keys.Lookup); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	for i := range events {
		if err := j.open(&events[i], keys); err != nil {
			return fmt.Errorf("event %s: %w", events[i].ID, err)
		}
	}
	return nil
}

func (j *Journal) open(e *event.Recorded, keys keyset) error {
	t, err := j.catalog.TypeOf(e.Data)
	if err != nil {
		return err
	}
	e.Data, err = t.Visit(e.Data, func(f event.Field, v personal.Value) error {
		key := keys[personal.KeyRef{Subject: e.Meta.Subject, Class: f.Class}]
		return v.Open(opener(key, AAD(e.Meta.Account, e.Stream, e.ID, f.Name)))
	})
	return err
}

// SealedValue is a personal value away from its event, as read models keep it:
// with what it takes to open it.
type SealedValue struct {
	Account, Subject, Event domain.ID // Event: the one that sealed it
	Stream, Field           string
	Class                   personal.Class
	Value                   personal.Value // opened in place
}

// OpenValues makes values plain, in place; those whose key was destroyed
// become erased. Ask only on behalf of somebody entitled to them.
func (j *Journal) OpenValues(ctx context.Context, values []SealedValue) error {
	keys := keyset{}
	var refs []personal.KeyRef
	for _, v := range values {
		ref := personal.KeyRef{Subject: v.Subject, Class: v.Class}
		if _, seen := keys[ref]; !seen && !v.Value.IsEmpty() {
			keys[ref] = nil
			refs = append(refs, ref)
		}
	}
	if err := j.fill(ctx, keys, refs, j.keys.Lookup); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	for _, v := range values {
		if err := v.Value.Open(opener(keys[personal.KeyRef{Subject: v.Subject, Class: v.Class}],
			AAD(v.Account, v.Stream, v.Event, v.Field))); err != nil {
			return fmt.Errorf("event %s, field %s: %w", v.Event, v.Field, err)
		}
	}
	return nil
}
