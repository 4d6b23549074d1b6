package eventlog

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

// Keyring holds a key for each person and class.
type Keyring interface {
	// Ensure returns the keys named, and makes those that do not exist yet;
	// they are durable when it returns. A nil key was destroyed: the person is erased.
	Ensure(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error)
	// Lookup returns the keys named. A nil key was destroyed; one that never
	// existed is an error, since something sealed with it is lost.
	Lookup(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error)
}

// ErrErased: personal data can no longer be recorded for this person.
var ErrErased = domain.Refuse("subject_erased", "the person has been erased")

// Journal is the typed, sealed view of a log. Personal values are sealed on
// their way in; on their way out they stay sealed until Open.
type Journal struct {
	log     Log
	catalog event.Catalog
	keys    Keyring
	now     func() time.Time
}

// NewJournal makes a journal; now is the clock that recorded-at is read from.
func NewJournal(log Log, catalog event.Catalog, keys Keyring, now func() time.Time) *Journal {
	return &Journal{log, catalog, keys, now}
}

// Write is drafts for one stream.
type Write struct {
	Stream string
	Expect uint64
	Events []event.Draft
}

// Append seals and writes events to one stream.
func (j *Journal) Append(ctx context.Context, stream string, expect uint64, drafts ...event.Draft) (Result, error) {
	results, errs := j.AppendBulk(ctx, []Write{{stream, expect, drafts}})
	return results[0], errs[0]
}

// Record is Append, as commands ask for it.
func (j *Journal) Record(ctx context.Context, stream string, expect uint64, drafts []event.Draft) (event.Position, error) {
	result, err := j.Append(ctx, stream, expect, drafts...)
	return result.Position, err
}

// AppendBulk seals and writes events to many streams; each write succeeds or
// fails by itself.
func (j *Journal) AppendBulk(ctx context.Context, writes []Write) ([]Result, []error) {
	results, errs := make([]Result, len(writes)), make([]error, len(writes))
	keys, err := j.ensure(ctx, writes)
	if err != nil {
		for i := range errs {
			errs[i] = fmt.Errorf("keys: %w", err)
		}
		return results, errs
	}
	at := j.now().UTC().Truncate(time.Microsecond)
	appends, index := make([]Append, 0, len(writes)), make([]int, 0, len(writes))
	for i, w := range writes {
		a := Append{w.Stream, w.Expect, make([]event.Stored, len(w.Events))}
		for k, d := range w.Events {
			if sealedFor(w.Stream, d) {
				a.Events[k] = *d.Sealed
			} else if a.Events[k], errs[i] = j.encode(w.Stream, d, keys); errs[i] != nil {
				break
			}
			a.Events[k].At = at
		}
		if errs[i] == nil {
			appends, index = append(appends, a), append(index, i)
		}
	}
	if len(appends) == 0 {
		return results, errs
	}
	done, failed := j.log.AppendBulk(ctx, appends)
	for k, i := range index {
		results[i], errs[i] = done[k], failed[k]
	}
	return results, errs
}

type keyset map[personal.KeyRef]cipher.AEAD

func (j *Journal) ensure(ctx context.Context, writes []Write) (keyset, error) {
	keys := keyset{}
	var refs []personal.KeyRef
	for _, w := range writes {
		for _, d := range w.Events {
			if d.Meta.Subject.IsZero() || sealedFor(w.Stream, d) {
				continue // nobody has no key
			}
			if err := j.collect(d.Meta.Subject, d.Data, keys, &refs); err != nil {
				return nil, err
			}
		}
	}
	return keys, j.fill(ctx, keys, refs, j.keys.Ensure)
}

// collect adds the keys that data's personal values need.
func (j *Journal) collect(subject domain.ID, data any, keys keyset, refs *[]personal.KeyRef) error {
	t, err := j.catalog.TypeOf(data)
	if err != nil {
		return err
	}
	_, err = t.Visit(data, func(f event.Field, v personal.Value) error {
		ref := personal.KeyRef{Subject: subject, Class: f.Class}
		if _, seen := keys[ref]; !seen && !v.IsEmpty() {
			keys[ref] = nil
			*refs = append(*refs, ref)
		}
		return nil
	})
	return err
}

func (j *Journal) fill(ctx context.Context, keys keyset, refs []personal.KeyRef,
	get func(context.Context, []personal.KeyRef) ([]cipher.AEAD, error),
) error {
	if len(refs) == 0 {
		return nil
	}
	aeads, err := get(ctx, refs)
	for i, aead := range aeads {
		keys[refs[i]] = aead
	}
	return err
}

func (j *Journal) encode(stream string, d event.Draft, keys keyset) (event.Stored, error) {
	t, err := j.catalog.TypeOf(d.Data)
	if err != nil {
		return event.Stored{}, err
	}
	sealed, err := t.Visit(d.Data, func(f event.Field, v personal.Value) error {
		aead := keys[personal.KeyRef{Subject: d.Meta.Subject, Class: f.Class}]
		var refused error
		v.Seal(func(plain []byte) []byte {
			switch {
			case d.Meta.Subject.IsZero():
				refused = errors.New("a personal value of nobody")
			case aead == nil:
				refused = ErrErased
			default:
				return Seal(aead, plain, AAD(d.Meta.Account, stream, d.ID, f.Name))
			}
			return nil
		})
		return refused
	})
	if err != nil {
		return event.Stored{}, err
	}
	s := event.Stored{Stream: stream, ID: d.ID, Meta: d.Meta}
	s.Type, s.Version, s.Data, err = j.catalog.Encode(sealed)
	return s, err
}
