package tracking

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/cleversender/cleversender/domain"
)

func local(t testing.TB, address string) string {
	t.Helper()
	local, host, _ := strings.Cut(address, "@")
	if host != "bounces.example.org" || len(local) > 64 { // RFC 5321, section 4.5.3.1.1
		t.Fatalf("%d octets, host %s", len(local), host)
	}
	return local
}

// A return path is read back, in whichever case it comes, also after the current
// key has changed.
func TestBounceRoundTrip(t *testing.T) {
	old, fresh := newSigner(t, 1, 1), newSigner(t, 2, 1, 2)
	for _, ordinal := range []int{0, 5, 1<<32 - 1} {
		text := local(t, old.BounceAddress(id(0xFE), ordinal, "bounces.example.org"))
		for _, text := range []string{text, strings.ToUpper(text), strings.ToUpper(text[:9]) + text[9:]} {
			campaign, got, err := fresh.ParseBounce(text)
			if err != nil || campaign != id(0xFE) || got != ordinal {
				t.Errorf("%s: %s %d %v", text, campaign, got, err)
			}
		}
		if _, _, err := old.ParseBounce(local(t, fresh.BounceAddress(id(1), ordinal, "bounces.example.org"))); !errors.Is(err, ErrBadBounce) {
			t.Errorf("a key that is not known: %v", err)
		}
	}
}

// Return paths in mailboxes stay readable: these bytes never change.
func TestBounceGolden(t *testing.T) {
	got := newSigner(t, 7, 7).BounceAddress(id(1), 1<<31, "example.org")
	if want := "audqcaibaeaqcaibaeaqcaibaeaqdaaaaaahykkxs47bp2nha47f7dn5hhbna@example.org"; got != want {
		t.Errorf("return path is %s", got)
	}
}

// No change of a return path is taken: not of one bit, its length, or its spelling.
func TestBounceForged(t *testing.T) {
	s := newSigner(t, 1, 1)
	good := local(t, s.BounceAddress(id(1), 5, "bounces.example.org"))
	raw, err := bounceText.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(raw) {
		raw[bit/8] ^= 1 << (bit % 8)
		if _, _, err := s.ParseBounce(bounceText.EncodeToString(raw)); !errors.Is(err, ErrBadBounce) {
			t.Fatalf("bit %d: %v", bit, err)
		}
		raw[bit/8] ^= 1 << (bit % 8)
	}
	stray := good[:len(good)-1] + string(good[len(good)-1]+1) // the last letter has a bit that says nothing
	for _, text := range []string{"", "a", good + "a", good[:len(good)-1], good + "=", "\n" + good[1:], good[:9] + "\r\n" + good[11:],
		stray, strings.Repeat("a", 1<<20), "\u212A" + good[3:]} {
		if _, _, err := s.ParseBounce(text); !errors.Is(err, ErrBadBounce) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A token never passes for a return path, nor a return path for a token: not even
// one that was cut to the length and spelled as the other.
func TestKindsStayApart(t *testing.T) {
	s := newSigner(t, 1, 1)
	for _, token := range tokens() {
		raw, _ := base64.RawURLEncoding.DecodeString(s.Mint(token))
		for _, raw := range [][]byte{raw, raw[:letterSize+macSize], append(raw[:letterSize:letterSize], raw[len(raw)-macSize:]...)} {
			if _, _, err := s.ParseBounce(bounceText.EncodeToString(raw)); !errors.Is(err, ErrBadBounce) {
				t.Errorf("kind %d: %v", token.Kind, err)
			}
		}
	}
	for kind := range Kind(8) { // signed as it should be, of any other kind
		b := append([]byte{byte(kind), 1}, make([]byte, letterSize-2)...)
		b = s.keys[1].appendMAC(b, b)[:letterSize+macSize]
		if _, _, err := s.ParseBounce(bounceText.EncodeToString(b)); (err == nil) != (kind == bounce) {
			t.Errorf("kind %d: %v", kind, err)
		}
	}
	raw, _ := bounceText.DecodeString(local(t, s.BounceAddress(id(1), 5, "bounces.example.org")))
	if _, err := s.Parse(base64.RawURLEncoding.EncodeToString(raw), day); !errors.Is(err, ErrBadToken) {
		t.Errorf("a return path as a token: %v", err)
	}
}

// Whatever local part comes is a return path of ours, spelled as we spell it but
// for case, or refused.
func FuzzParseBounce(f *testing.F) {
	s := newSigner(f, 1, 1)
	f.Add(local(f, s.BounceAddress(id(1), 5, "bounces.example.org")))
	f.Add(strings.ToUpper(local(f, s.BounceAddress(domain.ID{}, 0, "bounces.example.org"))))
	f.Add("news+ann=example.org")
	f.Fuzz(func(t *testing.T, text string) {
		campaign, ordinal, err := s.ParseBounce(text)
		if err == nil && s.BounceAddress(campaign, ordinal, "x") != strings.ToLower(text)+"@x" {
			t.Fatal("not our spelling")
		}
		if err != nil && !errors.Is(err, ErrBadBounce) {
			t.Fatal(err)
		}
	})
}

func BenchmarkBounceAddress(b *testing.B) {
	s := newSigner(b, 1, 1)
	b.ReportAllocs()
	for b.Loop() {
		s.BounceAddress(id(1), 5, "bounces.example.org")
	}
}
