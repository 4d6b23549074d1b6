package catalog_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/cleversender/cleversender/domain/catalog"
)

// Whatever bytes a log holds, decoding answers with an event or an error, and
// what was read can be written and read again. It is what encoding/json reads.
func FuzzDecode(f *testing.F) {
	for name, typ := range catalog.All.Types() {
		f.Add(name, typ.Version(), []byte(`{}`))
		f.Add(name, typ.Version(), []byte(`null`))
		f.Add(name, 0, []byte(`{`))
		golden, _ := filepath.Glob(filepath.Join("testdata", name+".v*.json"))
		for i, path := range golden {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(name, i+1, data)
		}
	}
	f.Fuzz(func(t *testing.T, name string, version int, data []byte) {
		e, err := catalog.All.Decode(name, version, data)
		if typ, ok := catalog.All.Types()[name]; ok && version == typ.Version() {
			want := reflect.New(typ.Go)
			if slow := json.Unmarshal(data, want.Interface()); (slow == nil) != (err == nil) {
				t.Fatalf("%q: %v, encoding/json says %v", data, err, slow)
			}
			if err == nil && !reflect.DeepEqual(e, want.Elem().Interface()) {
				t.Fatalf("%q: %#v, encoding/json reads %#v", data, e, want)
			}
		}
		if err != nil {
			return
		}
		_, today, again, err := catalog.All.Encode(e)
		if err != nil {
			t.Fatalf("read %q, cannot write it: %v", data, err)
		}
		if _, err := catalog.All.Decode(name, today, again); err != nil || !json.Valid(again) {
			t.Fatalf("wrote %q, cannot read it: %v", again, err)
		}
	})
}
