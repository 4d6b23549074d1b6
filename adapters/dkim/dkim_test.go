package dkim

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/cleversender/cleversender/domain/signing"
)

const letter = "From: =?utf-8?q?Zo=C3=AB?=\r\n =?utf-8?q?_of_the_Harbour?= <news@books.example>\r\n" +
	"List-Id: The readers' letter <l.books.example>\r\nTo: \"Łódź\" <zoë@example.org>\r\n" +
	"Subject: Three   books\r\n for\t you\r\nDate: Tue, 03 Feb 2026 04:05:06 +0000\r\nMessage-ID: <1@books.example>\r\n" +
	"List-Unsubscribe: <https://mail.books.example/u/1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" +
	"Feedback-ID: a:b:campaign:cleversender\r\nPrecedence: bulk\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" +
	"Content-Transfer-Encoding: quoted-printable\r\n\r\nDear Zo=C3=AB,\r\n\r\nthree  books=20\r\n\r\n"

// zone is keys and the DNS that their records are in.
type zone map[string][]string

func (z zone) add(t testing.TB, selector string, a signing.Algorithm) Key {
	t.Helper()
	der, err := Generate(a)
	if err != nil {
		t.Fatal(err)
	}
	public, made, err := PublicKey(der)
	if err != nil || made != a {
		t.Fatal(made, err)
	}
	z[signing.RecordName(selector, "books.example")] = []string{signing.RecordValue(made, public)}
	return Key{"books.example", selector, der}
}

// verify returns the domains and headers of the signatures that hold.
func (z zone) verify(t testing.TB, message []byte) (good []*dkim.Verification) {
	t.Helper()
	all, err := dkim.VerifyWithOptions(bytes.NewReader(message), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) { return z[name], nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if v.Err == nil {
			good = append(good, v)
		}
	}
	return good
}

func signed(t testing.TB, message string, keys ...Key) []byte {
	t.Helper()
	s, err := NewSigner(keys)
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Sign([]byte("before"+message), len("before"))
	if err != nil {
		t.Fatal(err)
	}
	out, found := bytes.CutPrefix(out, []byte("before"))
	if !found || !bytes.HasSuffix(out, []byte(message)) {
		t.Fatalf("the message has changed: %s", out)
	}
	return out
}

// Each active key makes a signature that holds by itself.
func TestSign(t *testing.T) {
	z := zone{}
	keys := []Key{z.add(t, "s1", signing.RSA), z.add(t, "s2", signing.Ed25519), z.add(t, "s3", signing.RSA)}
	for n := range len(keys) + 1 {
		out := signed(t, letter, keys[:n]...)
		good := z.verify(t, out)
		if len(good) != n {
			t.Fatalf("%d of %d signatures hold\n%s", len(good), n, out)
		}
		for _, v := range good {
			if v.Domain != "books.example" || strings.Join(v.HeaderKeys, " ") != strings.Join(covered, " ") {
				t.Errorf("%s covers %v", v.Domain, v.HeaderKeys)
			}
		}
		for line := range bytes.SplitSeq(out[:len(out)-len(letter)], []byte("\r\n")) {
			if len(line) > 998 || bytes.HasPrefix(line, []byte(".")) {
				t.Errorf("bad line %q", line)
			}
		}
	}
}

// What servers do on the way leaves a signature whole: other folds, spaces at
// the ends of lines, headers of their own in front, empty lines at the end.
func TestSignatureSurvives(t *testing.T) {
	z := zone{}
	out := signed(t, letter, z.add(t, "s1", signing.RSA))
	changed := "Received: by mx.example\r\n" + strings.NewReplacer("Three   books\r\n for\t you", "Three books for\r\n\tyou",
		"three  books=20\r\n", "three books=20 \r\n", "Precedence: bulk\r\n", "").Replace(string(out)) + "\r\n\r\n"
	if len(z.verify(t, []byte(changed))) != 1 {
		t.Error("the signature is broken")
	}
}

// Whatever is changed that a person or their mailbox provider would see, the
// signature no longer holds.
func TestSignatureCovers(t *testing.T) {
	z := zone{}
	out := string(signed(t, letter, z.add(t, "s1", signing.RSA)))
	for from, to := range map[string]string{
		"news@books": "evil@books", "zoë@": "mallory@", "Three ": "Four ", "03 Feb": "04 Feb", "<1@": "<2@", "/u/1>": "/u/2>",
		"One-Click": "Two-Clicks", "a:b:campaign": "a:c:campaign", "<l.books": "<m.books", "text/plain": "text/html",
		": quoted-printable": ": 8bit", "Dear": "Dead", "MIME-Version: 1.0": "MIME-Version: 1.1",
		"\r\nDate:":  "\r\nReply-To: mallory@example.net\r\nDate:",
		"\r\nFrom: ": "\r\nFrom: mallory@example.net\r\nFrom: ", // on top: the other one is what was signed
	} {
		changed := strings.Replace(out, from, to, 1)
		if changed == out {
			t.Fatalf("%q is not there", from)
		}
		if len(z.verify(t, []byte(changed))) != 0 {
			t.Errorf("%q became %q, and the signature holds", from, to)
		}
	}
}

// A key that somebody brings is the same key afterwards, from either form.
func TestImport(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	edwards, err := Generate(signing.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kind      string
		raw, want []byte
		algorithm signing.Algorithm
	}{
		{"PRIVATE KEY", der, der, signing.RSA},
		{"RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), der, signing.RSA},
		{"PRIVATE KEY", edwards, edwards, signing.Ed25519},
	} {
		got, algorithm, err := Import(pem.EncodeToMemory(&pem.Block{Type: c.kind, Bytes: c.raw}))
		if err != nil || !bytes.Equal(got, c.want) || algorithm != c.algorithm {
			t.Errorf("%s %s: %v", c.kind, c.algorithm, err)
		}
	}
}

// What is no key, or not a safe one, is refused.
func TestImportRefuses(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := x509.MarshalPKCS8PrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	// Of two Mersenne primes: 4484 bits, without searching for them.
	mersenne := func(n uint) *big.Int { return new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), n), big.NewInt(1)) }
	large := &rsa.PrivateKey{Primes: []*big.Int{mersenne(2203), mersenne(2281)}, PublicKey: rsa.PublicKey{E: 65537}}
	large.N = new(big.Int).Mul(large.Primes[0], large.Primes[1])
	phi := new(big.Int).Mul(new(big.Int).Sub(large.Primes[0], big.NewInt(1)), new(big.Int).Sub(large.Primes[1], big.NewInt(1)))
	large.D = new(big.Int).ModInverse(big.NewInt(65537), phi)
	text := func(raw []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}) }
	for name, c := range map[string]struct {
		text []byte
		want error
	}{
		"nothing": {nil, ErrNotAKey}, "no PEM": {[]byte("MII"), ErrNotAKey}, "no key": {text([]byte("x")), ErrNotAKey},
		"1024 bits": {text(x509.MarshalPKCS1PrivateKey(weak)), ErrWeakKey}, "an elliptic curve": {text(other), ErrNotAKey},
		"4484 bits": {text(x509.MarshalPKCS1PrivateKey(large)), ErrLargeKey},
	} {
		if _, _, err := Import(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewSigner([]Key{{Private: []byte("x")}}); err == nil {
		t.Error("a key that is none signs")
	}
}
