package domain_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain"
)

// An id derived here is the UUIDv5 that any other program derives (RFC 9562).
func TestDeriveIsUUIDv5(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		space := domain.ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "space"))
		name := rapid.String().Draw(t, "name")
		if got, want := space.Derive(name), uuid.NewSHA1(uuid.UUID(space), []byte(name)); got != domain.ID(want) {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

// Written and read, an id is the same; its text is that of any other program.
func TestIDText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := domain.ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		back, err := domain.ParseID(id.String())
		if err != nil || back != id {
			t.Fatalf("%s came back as %s, %v", id, back, err)
		}
		if !id.IsZero() && id.String() != uuid.UUID(id).String() {
			t.Fatalf("%s, elsewhere %s", id, uuid.UUID(id))
		}
		if upper, err := domain.ParseID(strings.ToUpper(id.String())); err != nil || upper != id {
			t.Fatalf("upper case: %s, %v", upper, err)
		}
		raw, err := json.Marshal(map[domain.ID]domain.ID{id: id})
		var m map[domain.ID]domain.ID
		if err != nil || json.Unmarshal(raw, &m) != nil || m[id] != id {
			t.Fatalf("JSON: %s, %v", raw, err)
		}
	})
}

// What is no UUID is refused, whole; nothing is read from a part of it.
func TestBadID(t *testing.T) {
	for _, s := range []string{
		"x", "00000000000000000000000000000000", "0196f5a0-7000-7000-8000-00000000000", "0196f5a0-7000-7000-8000-0000000000000",
		"0196f5a0-7000-7000-8000-00000000000g", "0196f5a07000-7000-8000-000-000000000", "{196f5a0-7000-7000-8000-00000000000}",
		"0196f5a0-7000-7000-8000-0000000000\x00\x00", "-0196f5a-7000-7000-8000-000000000000", "0196f5-0-7000-7000-8000-000000000000",
	} {
		if id, err := domain.ParseID(s); !errors.Is(err, domain.ErrBadID) || !id.IsZero() {
			t.Errorf("%q: %v, %v", s, id, err)
		}
	}
}

// A refusal is told apart by what it says, wherever it was declared.
func TestRefusal(t *testing.T) {
	a, b := domain.Refuse("x", "no"), domain.Refuse("x", "no")
	if !errors.Is(a, b) || a.Error() != "no" || errors.Is(a, domain.Refuse("y", "no")) {
		t.Error("refusals are compared by value")
	}
}
