package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/cleversender/cleversender/domain/personal"
)

// An Upcast turns the fields of one version into those of the next. Numbers
// are json.Number: a position may be larger than a float64 holds.
type Upcast func(fields map[string]any)

// A Field is a personal value inside an event type.
type Field struct {
	Name  string // its JSON name; part of what seals it, so it never changes
	Class personal.Class
	index int
}

// Type ties a Go type to its stored name.
type Type struct {
	Name     string
	Go       reflect.Type
	Personal []Field
	upcasts  []Upcast
	decode   func([]byte) (any, error)
	encode   encoder
}

var personalValue = reflect.TypeFor[personal.Value]()

// Define declares an event type. The name lives forever; its version is one
// more than the number of upcasts, so adding an upcast is the version bump.
// Every personal field names its class: `json:"email" personal:"identity"`.
func Define[T any](name string, upcasts ...Upcast) Type {
	t := Type{Name: name, Go: reflect.TypeFor[T](), upcasts: upcasts}
	for i := range t.Go.NumField() {
		f := t.Go.Field(i)
		if !reflect.PointerTo(f.Type).Implements(personalValue) {
			continue
		}
		class, ok := personal.Classes[f.Tag.Get("personal")]
		if !ok {
			panic(fmt.Sprintf("%s: field %s is personal and names no class", name, f.Name))
		}
		t.Personal = append(t.Personal, Field{f.Tag.Get("json"), class, i})
	}
	t.encode = encoderOf(t.Go)
	quick := decoderOf(t.Go)
	t.decode = func(data []byte) (any, error) {
		if quick != nil {
			var v T
			if rest, ok := quick(data, reflect.ValueOf(&v).Elem()); ok && len(rest) == 0 {
				return v, nil
			}
		}
		var v T
		err := json.Unmarshal(data, &v)
		return v, err
	}
	return t
}

// Version is the version new events are written with.
func (t Type) Version() int { return len(t.upcasts) + 1 }

// Visit gives each personal value of e to visit, and returns e with what
// visit made of them. e itself is left alone.
func (t Type) Visit(e any, visit func(Field, personal.Value) error) (any, error) {
	if len(t.Personal) == 0 {
		return e, nil
	}
	v := reflect.New(t.Go)
	v.Elem().Set(reflect.ValueOf(e))
	for _, f := range t.Personal {
		if err := visit(f, v.Elem().Field(f.index).Addr().Interface().(personal.Value)); err != nil {
			return nil, fmt.Errorf("%s, field %s: %w", t.Name, f.Name, err)
		}
	}
	return v.Elem().Interface(), nil
}

func (t Type) upcast(version int, data []byte) ([]byte, error) {
	if !json.Valid(data) {
		return nil, errors.New("not JSON")
	}
	var fields map[string]any
	in := json.NewDecoder(bytes.NewReader(data))
	in.UseNumber()
	if err := in.Decode(&fields); err != nil || fields == nil {
		return nil, errors.New("not a JSON object")
	}
	for _, up := range t.upcasts[version-1:] {
		up(fields)
	}
	return json.Marshal(fields)
}

// ErrNewer: the event was written by a newer version of the software. Who
// reads it stops: skipping would be a silent lie.
var ErrNewer = errors.New("written by a newer version of the software")

// Outdated is the code that says so to operators.
const Outdated = "software_outdated"

// Catalog knows every event type of the engine.
type Catalog struct {
	byName map[string]Type
	byGo   map[reflect.Type]Type
}

// NewCatalog panics on a duplicate: two meanings for one name is a bug, and so
// are two names for one type.
func NewCatalog(types ...[]Type) Catalog {
	c := Catalog{map[string]Type{}, map[reflect.Type]Type{}}
	for _, list := range types {
		for _, t := range list {
			if _, dup := c.byName[t.Name]; dup {
				panic("event name declared twice: " + t.Name)
			}
			if _, dup := c.byGo[t.Go]; dup {
				panic("event type declared twice: " + t.Name)
			}
			c.byName[t.Name], c.byGo[t.Go] = t, t
		}
	}
	return c
}

// Types lists every type by its stored name.
func (c Catalog) Types() map[string]Type { return c.byName }

// Versions is the newest version of each type that can be read, by its stored name.
func (c Catalog) Versions() map[string]int {
	versions := make(map[string]int, len(c.byName))
	for name, t := range c.byName {
		versions[name] = t.Version()
	}
	return versions
}

// TypeOf finds the type of an event's Go value.
func (c Catalog) TypeOf(e any) (Type, error) {
	t, ok := c.byGo[reflect.TypeOf(e)]
	if !ok {
		return Type{}, fmt.Errorf("event %T is not in the catalog", e)
	}
	return t, nil
}

// Name is the stored name of T, for filters; it panics when T is not an event.
func (c Catalog) Name(e any) string {
	t, err := c.TypeOf(e)
	if err != nil {
		panic(err)
	}
	return t.Name
}

// Encode makes the stored form of an event whose personal values are sealed.
func (c Catalog) Encode(e any) (name string, version int, data []byte, err error) {
	t, err := c.TypeOf(e)
	if err != nil {
		return "", 0, nil, err
	}
	v := reflect.New(t.Go).Elem() // addressable, which spares a copy of every field
	v.Set(reflect.ValueOf(e))
	room := encoding.Get().(*[]byte)
	defer encoding.Put(room)
	*room, err = t.encode((*room)[:0], v)
	return t.Name, t.Version(), bytes.Clone(*room), err
}

// encoding is room to encode in: what is stored is kept in no more than it needs.
var encoding = sync.Pool{New: func() any { room := make([]byte, 0, 4096); return &room }}

// Reads is ErrNewer for a name or version from the future.
func (c Catalog) Reads(name string, version int) error {
	t, ok := c.byName[name]
	switch {
	case !ok:
		return fmt.Errorf("event type %q: %w", name, ErrNewer)
	case version > t.Version():
		return fmt.Errorf("%s version %d: %w", name, version, ErrNewer)
	}
	return nil
}

// Decode reads the stored form of any version up to today's; personal values
// come back sealed. A name or version from the future is ErrNewer.
func (c Catalog) Decode(name string, version int, data []byte) (any, error) {
	if err := c.Reads(name, version); err != nil {
		return nil, err
	}
	t := c.byName[name]
	if version < 1 {
		return nil, fmt.Errorf("%s: version %d does not exist", name, version)
	}
	if version < t.Version() {
		var err error
		if data, err = t.upcast(version, data); err != nil {
			return nil, fmt.Errorf("%s v%d: %w", name, version, err)
		}
	}
	e, err := t.decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s v%d: %w", name, version, err)
	}
	return e, nil
}
