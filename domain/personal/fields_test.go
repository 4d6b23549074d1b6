package personal_test

import (
	"encoding/json"
	"maps"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain/personal"
)

// Reveal and RevealEach show what was given, as JSON carries it.
func TestFieldsRevealWhatWasGiven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		odd := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`"`, `\`, `\"`, "<&>", "\u2028", "\x00\x1f", "名前", `},{`, `":"`, `\ufffd`}))
		given := rapid.MapOf(odd, odd).Draw(t, "fields")
		raw, _ := json.Marshal(given)
		var want map[string]string
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		fields := personal.FieldsOf(given)
		got, ok := fields.Reveal()
		each := map[string]string{}
		if !ok || !fields.RevealEach(func(k, v string) bool { each[k] = v; return true }) || !maps.Equal(got, want) || !maps.Equal(each, want) {
			t.Fatalf("each %q, reveal %v %q, want %q", each, ok, got, want)
		}
	})
}

// RevealEach stops when told, and shows nothing that is sealed or erased.
func TestRevealEachStops(t *testing.T) {
	fields := personal.FieldsOf(map[string]string{"a": "1", "b": "2"})
	n := 0
	if ok := fields.RevealEach(func(string, string) bool { n++; return false }); !ok || n != 1 {
		t.Errorf("%v after %d", ok, n)
	}
	show := func(string, string) bool { t.Error("shown"); return true }
	fields.Seal(flip)
	if fields.RevealEach(show) {
		t.Error("sealed, and yet revealed")
	}
	_ = fields.Open(nil)
	if fields.RevealEach(show) {
		t.Error("erased, and yet revealed")
	}
	if !(personal.Fields{}).RevealEach(show) {
		t.Error("the empty Fields reveals nothing, and that is fine")
	}
}

// Bytes that are not UTF-8 come out as U+FFFD, so that whoever checks the
// values can tell.
func TestInvalidTextIsMarked(t *testing.T) {
	fields := personal.FieldsOf(map[string]string{"city": "Z\xfcrich"})
	fields.RevealEach(func(_, v string) bool {
		if v != "Z"+string(utf8.RuneError)+"rich" {
			t.Errorf("%q", v)
		}
		return true
	})
}

// Reading the fields of a row costs no memory.
func TestRevealEachAllocatesNothing(t *testing.T) {
	fields := personal.FieldsOf(map[string]string{"city": "Zürich", "company": "ACME", "plan": "pro"})
	if n := testing.AllocsPerRun(100, func() {
		fields.RevealEach(func(k, v string) bool { return k != v })
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
