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
	o := newOpener()
	defer o.close()
	for i := range events {
		if err := j.open(&events[i], keys, o); err != nil {
			return fmt.Errorf("event %s: %w", events[i].ID, err)
		}
	}
	return nil
}

func (j *Journal) open(e *event.Recorded, keys keyset, o *opener) error {
	t, err := j.catalog.TypeOf(e.Data)
	if err != nil {
		return err
	}
	e.Data, err = t.Visit(e.Data, func(f event.Field, v personal.Value) error {
		key := keys[personal.KeyRef{Subject: e.Meta.Subject, Class: f.Class}]
		return o.open(v, key, e.Meta.Account, e.Stream, e.ID, f.Name)
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
	refs := refsOf(values)
	if len(refs) == 0 {
		return nil
	}
	keys, err := j.keys.Lookup(ctx, refs)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	o := newOpener()
	defer o.close()
	k := 0
	for i := range values {
		v := &values[i]
		if v.Value.IsEmpty() {
			continue
		}
		if refs[k] != v.ref() {
			k++
		}
		if err := o.open(v.Value, keys[k], v.Account, v.Stream, v.Event, v.Field); err != nil {
			return fmt.Errorf("event %s, field %s: %w", v.Event, v.Field, err)
		}
	}
	return nil
}

func (v *SealedValue) ref() personal.KeyRef {
	return personal.KeyRef{Subject: v.Subject, Class: v.Class}
}

// refsOf is the keys that values need, in their order: one for those of a
// person that follow each other.
func refsOf(values []SealedValue) []personal.KeyRef {
	var refs []personal.KeyRef
	for i := range values {
		v := &values[i]
		if !v.Value.IsEmpty() && (len(refs) == 0 || refs[len(refs)-1] != v.ref()) {
			refs = append(refs, v.ref())
		}
	}
	return refs
}
