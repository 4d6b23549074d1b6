package dkim

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain/signing"
)

// The example of RFC 6376, section 3.4.5.
func TestRelaxedExample(t *testing.T) {
	fields, at, err := headerOf(nil, []byte("A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n"))
	if err != nil || at != 22 {
		t.Fatal(at, err)
	}
	if got := string(appendFields(nil, fields, []string{"A", "B"})); got != "a:X\r\nb:Y Z\r\n" {
		t.Errorf("%q", got)
	}
	if got := string(appendBody(nil, []byte(" C \r\nD \t E\r\n\r\n\r\n"))); got != " C\r\nD E\r\n" {
		t.Errorf("%q", got)
	}
}

// The hashes of RFC 6376, section 3.4.4 (no body), and RFC 8463, appendix A.
func TestBodyHash(t *testing.T) {
	for body, want := range map[string]string{
		"":          "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
		"\r\n \r\n": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
		"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n": "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=",
	} {
		hash := sha256.Sum256(appendBody(nil, []byte(body)))
		if got := base64.StdEncoding.EncodeToString(hash[:]); got != want {
			t.Errorf("%q: %s", body, got)
		}
	}
}

// Of fields that share a name the last is taken first, and each once.
func TestSeveralOfOneName(t *testing.T) {
	fields, _, err := headerOf(nil, []byte("from: 1\r\nFrom-Not: x\r\nFROM : 2\r\nFrom\t: 3\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(appendFields(nil, fields, []string{"From", "To", "From"})); got != "from:3\r\nfrom:2\r\n" {
		t.Errorf("%q", got)
	}
}

// A message whose header does not end is not signed.
func TestEndlessHeader(t *testing.T) {
	s, err := NewSigner([]Key{zone{}.add(t, "s1", signing.Ed25519)})
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range []string{"", "From: a@books.example", "From: a@books.example\r\n", "From: a@books.example\r\n x"} {
		if _, err := s.Sign([]byte(message), 0); err == nil {
			t.Errorf("%q is signed", message)
		}
	}
}

// Whatever the header and the body are like, somebody else's code finds that
// the signature holds.
func TestSignsEverything(t *testing.T) {
	z := zone{}
	keys := []Key{z.add(t, "s1", signing.Ed25519), z.add(t, "s2", signing.Ed25519)}
	name := rapid.OneOf(rapid.SampledFrom(covered), rapid.SampledFrom([]string{"from", "TO", "Subject ", "X-Other", "Fro", "Froms"}))
	value := rapid.StringOfN(rapid.SampledFrom([]rune("ab:;= \t\nłé\u0085")), 0, 30, -1)
	rapid.Check(t, func(rt *rapid.T) {
		var header strings.Builder
		for range rapid.IntRange(0, 12).Draw(rt, "fields") {
			header.WriteString(name.Draw(rt, "name") + ":" + folded(value.Draw(rt, "value")) + "\r\n")
		}
		body := rapid.StringOfN(rapid.SampledFrom([]rune("ab.  \t\n\né")), 0, 60, -1).Draw(rt, "body")
		message := header.String() + "\r\n" + strings.ReplaceAll(body, "\n", "\r\n")
		if good := z.verify(t, signed(t, message, keys...)); len(good) != len(keys) {
			rt.Fatalf("%d signatures of %q hold", len(good), message)
		}
	})
}

// folded is a value with a fold wherever it had a line end.
func folded(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r", ""), "\n", "\r\n ")
}

func FuzzSign(f *testing.F) {
	f.Add("Zoë <news@books.example>", "Three\n  books ", "Dear Zoë,\n\n \tthree  books \n\n\n")
	f.Add("\n\n\xff", "\t\n\t", "\xff \n \n.")
	z := zone{}
	key := z.add(f, "s1", signing.Ed25519)
	f.Fuzz(func(t *testing.T, from, subject, body string) {
		body = strings.ReplaceAll(strings.ReplaceAll(body, "\r", ""), "\n", "\r\n")
		message := "From:" + folded(from) + "\r\nSubject : " + folded(subject) + "\r\n\r\n" + body
		if len(z.verify(t, signed(t, message, key))) != 1 {
			t.Errorf("the signature of %q does not hold", message)
		}
	})
}

// Connections that sign at once do not get in each other's way.
func TestSignTogether(t *testing.T) {
	z := zone{}
	s, err := NewSigner([]Key{z.add(t, "s1", signing.Ed25519)})
	if err != nil {
		t.Fatal(err)
	}
	made := make([][]byte, 8*20)
	var all errgroup.Group
	for connection := range 8 {
		all.Go(func() (err error) {
			for i := connection; i < len(made) && err == nil; i += 8 {
				made[i], err = s.Sign([]byte(strings.Replace(letter, "Dear", strings.Repeat("Dear ", i), 1)), 0)
			}
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, message := range made {
		if len(z.verify(t, message)) != 1 || bytes.Count(message, []byte("DKIM-Signature:")) != 1 {
			t.Errorf("message %d has not one signature that holds", i)
		}
	}
}
