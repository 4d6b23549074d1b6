package signing_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/domain"
	. "github.com/cleversender/cleversender/domain/signing"
)

// A key signs from its activation to its retirement, whatever becomes of the others.
func TestEvolve(t *testing.T) {
	first := KeyCreated{Domain: "books.example", Selector: "s1", Algorithm: RSA, PublicKey: "MII"}
	second := KeyCreated{Domain: "books.example", Selector: "s2", Algorithm: Ed25519, PublicKey: "11q"}
	var d Domain
	for _, e := range []Event{first, second, KeyActivated{"s1"}, KeyActivated{"s2"}, KeyRetired{"s1"}} {
		d = d.Evolve(e)
	}
	want := Domain{Name: "books.example", Keys: []Key{{first, Retired}, {second, Active}}}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	if k, found := d.Key("s2"); !found || k != want.Keys[1] || d.In(Active) != 1 {
		t.Error(k, found)
	}
	if _, found := d.Key("s3"); found {
		t.Error("a key that is not there")
	}
}

// Two accounts with one domain have keys of their own.
func TestIDOf(t *testing.T) {
	one, other := IDOf(domain.ID{1}, "books.example"), IDOf(domain.ID{2}, "books.example")
	if one == other || one == IDOf(domain.ID{1}, "other.example") {
		t.Error("two domains share an id")
	}
}

// A record is split into strings that a name server takes, and reads as one.
func TestZoneLine(t *testing.T) {
	value := RecordValue(RSA, strings.Repeat("M", 392))
	line := ZoneLine(RecordName("s1", "books.example"), value)
	strs := strings.Split(line, `"`)
	if strs[0] != "s1._domainkey.books.example. IN TXT ( " || len(strs) != 5 || len(strs[1]) != 255 || strs[1]+strs[3] != value {
		t.Error(line)
	}
	if got := ZoneLine("a", RecordValue(Ed25519, "11q")); got != `a. IN TXT ( "v=DKIM1; k=ed25519; p=11q" )` {
		t.Error(got)
	}
}
