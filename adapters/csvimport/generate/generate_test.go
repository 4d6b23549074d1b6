package generate_test

import (
	"bytes"
	"testing"

	"github.com/cleversender/cleversender/adapters/csvimport/generate"
)

// The same options give the same bytes, and a person is the same in every list.
func TestWriteIsDeterministic(t *testing.T) {
	list := func(opt generate.Options) []byte {
		var out bytes.Buffer
		if err := generate.Write(&out, opt); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	opt := generate.Options{Seed: 7, Rows: 500, Duplicates: 20, Bad: 30}
	if !bytes.Equal(list(opt), list(opt)) {
		t.Error("two runs differ")
	}
	other := opt
	other.Seed = 8
	if bytes.Equal(list(opt), list(other)) {
		t.Error("the seed changes nothing")
	}
	whole, tail := list(generate.Options{Rows: 100}), list(generate.Options{Rows: 40, First: 60})
	if !bytes.HasSuffix(whole, tail[len(generate.Header):]) {
		t.Error("a list that starts later is not the end of the longer one")
	}
}

func BenchmarkWrite(b *testing.B) {
	b.ReportAllocs()
	if err := generate.Write(discard{}, generate.Options{Rows: b.N, Duplicates: 50}); err != nil {
		b.Fatal(err)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
