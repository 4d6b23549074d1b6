package eventlog

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
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
			if a.Events[k], errs[i] = j.encode(w.Stream, d, keys); errs[i] != nil {
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

// AAD binds a sealed value to its place: it opens nowhere else.
func AAD(account domain.ID, stream string, id domain.ID, field string) []byte {
	b := make([]byte, 0, 34+len(stream)+len(field))
	b = append(append(b, account[:]...), id[:]...)
	return append(append(append(b, stream...), 0), field...)
}

// Seal is AES-256-GCM with a random nonce, which goes in front.
func Seal(aead cipher.AEAD, plain, aad []byte) []byte {
	out := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(out) // never fails (crypto/rand)
	return aead.Seal(out, out, plain, aad)
}

// Unseal reverses Seal.
func Unseal(aead cipher.AEAD, sealed, aad []byte) ([]byte, error) {
	n := aead.NonceSize()
	if len(sealed) < n+aead.Overhead() {
		return nil, errors.New("sealed value is too short")
	}
	return aead.Open(nil, sealed[:n], sealed[n:], aad)
}

// Load returns a stream's events with their personal values open, and how many
// there are: what a command decides on.
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

// ReadAt returns the events at these positions, sealed.
func (j *Journal) ReadAt(ctx context.Context, positions []event.Position) ([]event.Recorded, error) {
	stored, err := j.log.ReadAt(ctx, positions)
	if err != nil {
		return nil, err
	}
	return j.decode(stored)
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
// without Data. It is event.ErrNewer at one of these types from the future.
func (j *Journal) DecodePage(page Page, types map[string]bool) (RecordedPage, error) {
	out := RecordedPage{Next: page.Next}
	err := j.decodePage(page.Events, types, &out)
	return out, err
}

func (j *Journal) decodePage(stored []event.Stored, types map[string]bool, out *RecordedPage) error {
	out.Events = make([]event.Recorded, 0, len(stored))
	for _, s := range stored {
		if types != nil && !types[s.Type] {
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

// opener opens with a key, or says by nil that there is none any more.
func opener(key cipher.AEAD, aad []byte) func([]byte) ([]byte, error) {
	if key == nil {
		return nil
	}
	return func(sealed []byte) ([]byte, error) { return Unseal(key, sealed, aad) }
}
