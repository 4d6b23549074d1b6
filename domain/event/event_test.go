package event_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

type moved struct {
	City  string        `json:"city"`
	To    []string      `json:"to"`
	Email personal.Text `json:"email" personal:"identity"`
}

type left struct {
	At event.Position `json:"at"`
}

func manyPlaces(f map[string]any) { f["to"] = []any{f["place"]}; delete(f, "place") }
func addCity(f map[string]any)    { f["city"] = "Ulm" }

var (
	movedType = event.Define[moved]("test.moved", manyPlaces, addCity)
	catalog   = event.NewCatalog([]event.Type{movedType, event.Define[left]("test.left", func(map[string]any) {})})
)

// Every version ever written reads as today's type, through each upcast in turn.
func TestUpcasts(t *testing.T) {
	want := moved{City: "Ulm", To: []string{"Bonn"}}
	for version, data := range map[int]string{
		1: `{"place":"Bonn"}`,
		2: `{"to":["Bonn"]}`,
		3: `{"to":["Bonn"],"city":"Ulm"}`,
	} {
		got, err := catalog.Decode("test.moved", version, []byte(data))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("version %d: %#v, %v", version, got, err)
		}
	}
	if movedType.Version() != 3 {
		t.Errorf("version %d", movedType.Version())
	}
}

// An upcast loses no digit of what it does not touch.
func TestUpcastKeepsLargeNumbers(t *testing.T) {
	const far = event.Position(1<<63 + 1)
	if got, err := catalog.Decode("test.left", 1, []byte(`{"at":9223372036854775809}`)); got != (left{At: far}) || err != nil {
		t.Errorf("%#v, %v", got, err)
	}
}

// An event from the future is said to be one, and never skipped as broken.
func TestFromTheFuture(t *testing.T) {
	for name, version := range map[string]int{"test.moved": 4, "test.left": 3, "test.unheard": 1} {
		if _, err := catalog.Decode(name, version, []byte(`{}`)); !errors.Is(err, event.ErrNewer) {
			t.Errorf("%s v%d: %v", name, version, err)
		}
	}
}

// What cannot be read is an error, and not one from the future.
func TestBroken(t *testing.T) {
	for _, c := range []struct {
		version int
		data    string
	}{{0, `{}`}, {-1, `{}`}, {1, `null`}, {1, `[]`}, {1, `{`}, {3, `{`}, {3, `{"to":1}`}, {3, `{"email":7}`}} {
		if e, err := catalog.Decode("test.moved", c.version, []byte(c.data)); err == nil || errors.Is(err, event.ErrNewer) {
			t.Errorf("v%d %s: %#v, %v", c.version, c.data, e, err)
		}
	}
}

// Written and read, an event is the same, under its stored name.
func TestEncode(t *testing.T) {
	e := moved{City: "Ulm", To: []string{"Bonn"}, Email: personal.SealedText([]byte("x"))}
	name, version, data, err := catalog.Encode(e)
	if err != nil || name != "test.moved" || version != 3 {
		t.Fatal(name, version, err)
	}
	if back, err := catalog.Decode(name, version, data); err != nil || !reflect.DeepEqual(back, e) {
		t.Errorf("%#v, %v", back, err)
	}
	if catalog.Name(left{}) != "test.left" {
		t.Error("found by another name")
	}
}

// A personal value that is not sealed cannot be written.
func TestEncodeNeedsSeals(t *testing.T) {
	if _, _, data, err := catalog.Encode(moved{Email: personal.Of("ada@example.org")}); !errors.Is(err, personal.ErrNotSealed) {
		t.Errorf("%s, %v", data, err)
	}
}

// What is not in the catalog is not an event.
func TestUnknownType(t *testing.T) {
	if _, _, _, err := catalog.Encode(17); err == nil {
		t.Error("stored a number")
	}
	defer func() {
		if recover() == nil {
			t.Error("named a number")
		}
	}()
	catalog.Name(17)
}

// Visit shows each personal value with its name and class, and works on a copy.
func TestVisit(t *testing.T) {
	before := moved{Email: personal.Of("ada@example.org")}
	after, err := movedType.Visit(before, func(f event.Field, v personal.Value) error {
		if f.Name != "email" || f.Class != personal.Identity {
			t.Errorf("%+v", f)
		}
		v.Seal(func([]byte) []byte { return []byte("x") })
		return nil
	})
	if err != nil || after.(moved).Email.Sealed() == nil || before.Email.Sealed() != nil {
		t.Errorf("%v, %v", after, err)
	}
	wrong := errors.New("no key")
	if _, err := movedType.Visit(before, func(event.Field, personal.Value) error { return wrong }); !errors.Is(err, wrong) {
		t.Errorf("%v", err)
	}
}

// A personal field that names no class, and a name with two meanings, stop the
// program before it stores anything.
func TestDeclarationsAreChecked(t *testing.T) {
	type classless struct {
		Email personal.Text `json:"email"`
	}
	for want, declare := range map[string]func(){
		"names no class":      func() { event.Define[classless]("test.classless") },
		"name declared twice": func() { event.NewCatalog([]event.Type{movedType}, []event.Type{movedType}) },
		"type declared twice": func() { event.NewCatalog([]event.Type{movedType, event.Define[moved]("test.gone")}) },
	} {
		func() {
			defer func() {
				if said, ok := recover().(string); !ok || !strings.Contains(said, want) {
					t.Errorf("%s: %v", want, said)
				}
			}()
			declare()
		}()
	}
}
