package tracking

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/cleversender/cleversender/domain"
)

// A Message-ID is the same every time, differs from recipient to recipient and
// from key to key, and stays when the current key changes.
func TestMessageID(t *testing.T) {
	s := newSigner(t, 1, 1)
	first := s.MessageID(id(1), 5, "example.org")
	if again := newSigner(t, 2, 1, 2).MessageID(id(1), 5, "example.org"); again != first {
		t.Errorf("after a rotation: %s, %s", first, again)
	}
	for _, other := range []string{s.MessageID(id(1), 6, "example.org"), s.MessageID(id(2), 5, "example.org"), newSigner(t, 3, 3).MessageID(id(1), 5, "example.org")} {
		if other == first {
			t.Errorf("two messages have the id %s", first)
		}
	}
}

// It is read back; no change of it is taken: not of one bit, its length, or its
// spelling, and no return path passes for it.
func TestParseMessageID(t *testing.T) {
	s := newSigner(t, 2, 1, 2)
	good, _, _ := strings.Cut(s.MessageID(id(0xFE), 1<<32-1, "example.org"), "@")
	if campaign, ordinal, err := s.ParseMessageID(good); err != nil || campaign != id(0xFE) || ordinal != 1<<32-1 {
		t.Error(campaign, ordinal, err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(raw) {
		raw[bit/8] ^= 1 << (bit % 8)
		if _, _, err := s.ParseMessageID(base64.RawURLEncoding.EncodeToString(raw)); !errors.Is(err, ErrBadMessageID) {
			t.Fatalf("bit %d: %v", bit, err)
		}
		raw[bit/8] ^= 1 << (bit % 8)
	}
	path, err := bounceText.DecodeString(local(t, s.BounceAddress(id(1), 5, "bounces.example.org")))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"", "A", good + "A", good[:len(good)-1], good + "=", "\n" + good[1:], strings.ToLower(good), strings.Repeat("A", 1<<20),
		base64.RawURLEncoding.EncodeToString(path),
	} {
		if _, _, err := s.ParseMessageID(text); !errors.Is(err, ErrBadMessageID) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Message-IDs in mailboxes stay readable: these bytes never change.
func TestMessageIDGolden(t *testing.T) {
	if got := newSigner(t, 7, 7).MessageID(id(1), 5, "example.org"); got != "BgcBAQEBAQEBAQEBAQEBAQEBAAAABb3Eqs9UzM8qQ5IUumIZe64@example.org" {
		t.Errorf("message id is %s", got)
	}
}

// Whatever comes is a Message-ID of ours as we spell it, or refused.
func FuzzParseMessageID(f *testing.F) {
	s := newSigner(f, 1, 1)
	good, _, _ := strings.Cut(s.MessageID(domain.ID{1}, 5, "x"), "@")
	f.Add(good)
	f.Add("20260504115800.ABC")
	f.Fuzz(func(t *testing.T, text string) {
		campaign, ordinal, err := s.ParseMessageID(text)
		if err == nil && s.MessageID(campaign, ordinal, "x") != text+"@x" {
			t.Fatal("not our spelling")
		}
		if err != nil && !errors.Is(err, ErrBadMessageID) {
			t.Fatal(err)
		}
	})
}
