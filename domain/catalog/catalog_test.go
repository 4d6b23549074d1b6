package catalog_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/event"
)

var update = flag.Bool("update", false, "write golden files of new events and versions; never changes one that exists")

// Every event ever written can be read, and today's shape is the golden one.
func TestWireFormat(t *testing.T) {
	for name, typ := range catalog.All.Types() {
		for v := 1; v <= typ.Version(); v++ {
			t.Run(fmt.Sprintf("%s.v%d", name, v), func(t *testing.T) {
				golden := goldenOf(t, fmt.Sprintf("%s.v%d", name, v), v == typ.Version(), filled(typ.Go, false))
				got, err := catalog.All.Decode(name, v, golden)
				if err != nil || reflect.TypeOf(got) != typ.Go {
					t.Fatalf("decoded %#v, %v", got, err)
				}
				if v == typ.Version() {
					sameShape(t, typ, got, filled(typ.Go, false), golden)
				}
			})
		}
	}
}

// What a version may leave out came later than the version itself: it has a
// golden file of its own.
func TestWireFormatOfLaterFields(t *testing.T) {
	for name, typ := range catalog.All.Types() {
		if !leaveOut(reflect.New(typ.Go).Elem()) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			want := filled(typ.Go, true)
			golden := goldenOf(t, fmt.Sprintf("%s.v%d.later", name, typ.Version()), true, want)
			got, err := catalog.All.Decode(name, typ.Version(), golden)
			if err != nil {
				t.Fatal(err)
			}
			sameShape(t, typ, got, want, golden)
		})
	}
}

func sameShape(t *testing.T, typ event.Type, got, want any, golden []byte) {
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v\nwant %#v", got, want)
	}
	name, version, again, err := catalog.All.Encode(got)
	if err != nil || name != typ.Name || version != typ.Version() || !bytes.Equal(again, golden) {
		t.Errorf("shape changed without an upcast: %s v%d, %v\n%s\nwas\n%s", name, version, err, again, golden)
	}
}

// goldenOf reads the golden file; with -update it first writes one that is
// missing. Only today's shape can be written: older ones are history.
func goldenOf(t *testing.T, file string, today bool, data any) []byte {
	path := filepath.Join("testdata", file+".json")
	if _, err := os.Stat(path); os.IsNotExist(err) && *update && today {
		_, _, encoded, err := catalog.All.Encode(data)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, encoded, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v\nnew event or version? make golden", err)
	}
	return golden
}

// A stored name lives forever: an event that was ever stored is still here.
func TestNoEventIsForgotten(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	var known []string
	for name, typ := range catalog.All.Types() {
		for v := 1; v <= typ.Version(); v++ {
			known = append(known, fmt.Sprintf("%s.v%d.json", name, v), fmt.Sprintf("%s.v%d.later.json", name, v))
		}
	}
	for _, f := range files {
		if !slices.Contains(known, filepath.Base(f)) {
			t.Errorf("%s: nothing can read it any more", f)
		}
	}
}

// No event keeps anything under a name that Go chose.
func TestEveryFieldHasAStoredName(t *testing.T) {
	for name, typ := range catalog.All.Types() {
		for i := range typ.Go.NumField() {
			f := typ.Go.Field(i)
			if _, ok := f.Tag.Lookup("json"); f.IsExported() && !ok {
				t.Errorf("%s: field %s has no json name", name, f.Name)
			}
		}
	}
}
