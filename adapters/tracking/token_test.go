package tracking

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/domain"
)

var day = time.Date(2026, 2, 3, 23, 59, 59, 0, time.UTC)

func secret(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func newSigner(t testing.TB, current byte, ids ...byte) *Signer {
	t.Helper()
	keys := map[byte][]byte{}
	for _, id := range ids {
		keys[id] = secret(id)
	}
	s, err := NewSigner(keys, current)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func id(b byte) domain.ID { return domain.ID(bytes.Repeat([]byte{b}, 16)) }

func tokens() []Token {
	base := Token{Campaign: id(1), Ordinal: 1 << 31, Person: id(2), Account: id(3)}
	open, click, leave, confirm := base, base, base, base
	open.Kind, click.Kind, leave.Kind, confirm.Kind = Open, Click, Unsubscribe, Confirm
	click.Link = 65535
	leave.List, confirm.List, confirm.Expires = id(4), id(5), Day(day)
	return []Token{open, click, leave, confirm}
}

// What is minted is read back, also after the current key has changed.
func TestRoundTrip(t *testing.T) {
	old, fresh := newSigner(t, 1, 1), newSigner(t, 2, 1, 2)
	for _, want := range tokens() {
		text := old.Mint(want)
		got, err := fresh.Parse(text, day)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		if _, err := old.Parse(fresh.Mint(want), day); !errors.Is(err, ErrBadToken) {
			t.Errorf("a key that is not known: %v", err)
		}
	}
}

// Tokens in mailboxes stay readable: these bytes never change.
func TestGolden(t *testing.T) {
	s := newSigner(t, 7, 7)
	for i, want := range []string{
		"AQcBAQEBAQEBAQEBAQEBAQEBgAAAAAICAgICAgICAgICAgICAgIDAwMDAwMDAwMDAwMDAwMDQGXt5jhNQLZPX_y2MayJRA",
		"AgcBAQEBAQEBAQEBAQEBAQEBgAAAAAICAgICAgICAgICAgICAgIDAwMDAwMDAwMDAwMDAwMD__8RU3K2fCZw2A4gO_UW_ccM",
		"AwcBAQEBAQEBAQEBAQEBAQEBgAAAAAICAgICAgICAgICAgICAgIDAwMDAwMDAwMDAwMDAwMDBAQEBAQEBAQEBAQEBAQEBAAAAABp_Bv36yfZiCTZiCBil_I1",
		"BAcBAQEBAQEBAQEBAQEBAQEBgAAAAAICAgICAgICAgICAgICAgIDAwMDAwMDAwMDAwMDAwMDBQUFBQUFBQUFBQUFBQUFBQAAUAcGtq22oiyJwST_ZdY2xcze",
	} {
		if got := s.Mint(tokens()[i]); got != want {
			t.Errorf("token %d is %s", i, got)
		}
	}
}

// No change of a token is taken: not of one bit, its length, or its spelling.
func TestForged(t *testing.T) {
	s := newSigner(t, 1, 1)
	for _, token := range tokens() {
		good := s.Mint(token)
		raw, _ := base64.RawURLEncoding.DecodeString(good)
		for bit := range 8 * len(raw) {
			raw[bit/8] ^= 1 << (bit % 8)
			if _, err := s.Parse(base64.RawURLEncoding.EncodeToString(raw), day); !errors.Is(err, ErrBadToken) {
				t.Fatalf("bit %d: %v", bit, err)
			}
			raw[bit/8] ^= 1 << (bit % 8)
		}
		for _, text := range []string{"", "A", good + "A", good[:len(good)-1], good + "=", "\n" + good, strings.ToLower(good), good[:9] + "\r\n" + good[9:]} {
			if _, err := s.Parse(text, day); !errors.Is(err, ErrBadToken) {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
	if _, err := s.Parse(strings.Repeat("A", 1<<20), day); !errors.Is(err, ErrBadToken) {
		t.Errorf("a megabyte: %v", err)
	}
}

// A token is good until the end of its last day, and for ever without one.
func TestExpiry(t *testing.T) {
	s := newSigner(t, 1, 1)
	leave, confirm := s.Mint(tokens()[2]), s.Mint(tokens()[3])
	if _, err := s.Parse(confirm, day); err != nil {
		t.Errorf("on its last day: %v", err)
	}
	if _, err := s.Parse(confirm, day.Add(time.Second)); !errors.Is(err, ErrExpired) {
		t.Errorf("the day after: %v", err)
	}
	if _, err := s.Parse(leave, day.AddDate(50, 0, 0)); err != nil {
		t.Errorf("without a last day: %v", err)
	}
}

// Keys of a wrong length, or a current one that is missing, make no signer.
func TestNewSignerRefuses(t *testing.T) {
	if _, err := NewSigner(map[byte][]byte{1: secret(1)[:31]}, 1); err == nil {
		t.Error("a short key")
	}
	if _, err := NewSigner(map[byte][]byte{1: secret(1)}, 2); err == nil {
		t.Error("no current key")
	}
}

// Whatever text comes is a token of ours, spelled as we spell it, or refused.
func FuzzParse(f *testing.F) {
	s := newSigner(f, 1, 1)
	for _, token := range tokens() {
		f.Add(s.Mint(token))
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := s.Parse(text, day)
		if err == nil && s.Mint(token) != text {
			t.Fatal("not our spelling")
		}
		if err != nil && !errors.Is(err, ErrBadToken) && !errors.Is(err, ErrExpired) {
			t.Fatal(err)
		}
	})
}

func BenchmarkMint(b *testing.B) {
	s, token := newSigner(b, 1, 1), tokens()[1]
	b.ReportAllocs()
	for b.Loop() {
		s.Mint(token)
	}
}

func BenchmarkParse(b *testing.B) {
	s := newSigner(b, 1, 1)
	text := s.Mint(tokens()[1])
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Parse(text, day); err != nil {
			b.Fatal(err)
		}
	}
}
