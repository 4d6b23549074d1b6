package personal_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain/personal"
)

const canary = "ada@example.org"

type card struct {
	Email personal.Text
	Data  personal.Fields
	inner personal.Text // fmt does not call the methods of unexported fields
	many  []personal.Text
	named map[string]personal.Fields
}

func newCard() card {
	email, data := personal.Of(canary), personal.FieldsOf(map[string]string{"city": canary})
	return card{email, data, email, []personal.Text{email}, map[string]personal.Fields{"x": data}}
}

// However a value is printed, logged or marshaled, plain or sealed, nothing of it shows.
func TestNothingShows(t *testing.T) {
	c := newCard()
	var out bytes.Buffer
	for _, v := range []any{c, &c, c.Email, &c.Email, c.Data, c.inner, []any{c}, map[string]any{"c": c}, errors.Join(fmt.Errorf("%v", c.Email))} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%20.3s"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		_, err := json.Marshal(v)
		fmt.Fprintln(&out, err)
		_ = xml.NewEncoder(&out).Encode(v)
		_ = gob.NewEncoder(&out).Encode(v)
	}
	text := out.String()
	for _, form := range []string{canary, "ada@", "6164614065", "6164614065", "YWRhQGV4YW1wbGUu", "[97 100 97"} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(form)) {
			t.Errorf("%q shows", form)
		}
	}
	if !strings.Contains(text, "[personal]") {
		t.Error("the test printed nothing")
	}
}

// A plain or erased value is never marshaled; an empty one is "".
func TestOnlySealedIsMarshaled(t *testing.T) {
	var gone personal.Text = personal.SealedText([]byte("x"))
	if err := gone.Open(nil); err != nil || !gone.IsErased() {
		t.Fatalf("%v, erased %v", err, gone.IsErased())
	}
	for _, v := range []any{personal.Of(canary), personal.FieldsOf(map[string]string{"a": canary}), gone} {
		if _, err := json.Marshal(v); !errors.Is(err, personal.ErrNotSealed) {
			t.Errorf("marshaled: %v", err)
		}
	}
	for _, v := range []any{personal.Text{}, personal.Fields{}} {
		if got, err := json.Marshal(v); string(got) != `""` || err != nil {
			t.Errorf("empty: %s, %v", got, err)
		}
	}
}

// flip stands in for a cipher.
func flip(b []byte) []byte {
	out := slices.Clone(b)
	for i := range out {
		out[i] ^= 0x5a
	}
	return out
}

func unflip(s string) ([]byte, error) { return flip([]byte(s)), nil }

// Sealed, stored, read and opened, a value is what it was; a copy made before
// the sealing stays plain.
func TestSealedAndOpenedIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		m := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "fields")
		text, fields := personal.Of(s), personal.FieldsOf(m)
		before := text
		text.Seal(flip)
		fields.Seal(flip)
		if _, ok := text.Reveal(); ok && s != "" {
			t.Fatal("a sealed value reveals")
		}
		if got, ok := before.Reveal(); !ok || got != s {
			t.Fatal("sealing changed a copy")
		}
		var text2 personal.Text
		var fields2 personal.Fields
		for from, to := range map[any]any{&text: &text2, &fields: &fields2} {
			stored, err := json.Marshal(from)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(stored, to); err != nil {
				t.Fatal(err)
			}
		}
		if !text.Equal(text2) || !fields.Equal(fields2) {
			t.Fatal("storing changed the sealed form")
		}
		if !personal.SealedText(text.Sealed()).Equal(text2) || !personal.SealedFields(fields.Sealed()).Equal(fields2) {
			t.Fatal("a read model's copy is another")
		}
		if err := errors.Join(text2.Open(unflip), fields2.Open(unflip)); err != nil {
			t.Fatal(err)
		}
		if !text2.Equal(personal.Of(s)) || !fields2.Equal(personal.FieldsOf(m)) {
			t.Fatal("came back changed")
		}
	})
}

// A value whose key is gone is erased: not empty, not plain, not an error.
func TestErased(t *testing.T) {
	text := personal.Of(canary)
	text.Seal(flip)
	if err := text.Open(nil); err != nil {
		t.Fatal(err)
	}
	if s, ok := text.Reveal(); ok || s != "" || !text.IsErased() || text.IsEmpty() || text.Sealed() != nil {
		t.Errorf("%q, %v, erased %v, empty %v", s, ok, text.IsErased(), text.IsEmpty())
	}
	text.Seal(func([]byte) []byte { t.Error("sealed what is erased"); return nil })
	if err := text.Open(unflip); err != nil || !text.IsErased() {
		t.Error("came back")
	}
}

// A value that cannot be opened stays sealed.
func TestOpenFails(t *testing.T) {
	text := personal.SealedText([]byte("x"))
	wrong := errors.New("wrong key")
	if err := text.Open(func(string) ([]byte, error) { return nil, wrong }); !errors.Is(err, wrong) || text.Sealed() == nil {
		t.Errorf("%v, %v", err, text.Sealed())
	}
}

// The empty value needs no key: it reveals "", and is never sealed.
func TestEmpty(t *testing.T) {
	var text personal.Text
	text.Seal(func([]byte) []byte { t.Error("sealed nothing"); return nil })
	if s, ok := text.Reveal(); s != "" || !ok || !text.IsEmpty() || !personal.Of("").IsEmpty() || !personal.SealedText("").IsEmpty() {
		t.Error("empty is something")
	}
	if m, ok := (personal.Fields{}).Reveal(); m != nil || !ok || !personal.FieldsOf(nil).IsEmpty() || !personal.SealedFields("").IsEmpty() {
		t.Error("empty is something")
	}
}

// Whatever the stored form holds, reading it is a value or an error that does
// not repeat it.
func TestBadStoredForm(t *testing.T) {
	for _, data := range []string{`"ada@example.org"`, `{"a":1}`, `17`, `"YWJj="`, `["ada@example.org"]`} {
		var text personal.Text
		if err := json.Unmarshal([]byte(data), &text); err == nil || strings.Contains(err.Error(), "ada") {
			t.Errorf("%s: %v", data, err)
		}
	}
}
