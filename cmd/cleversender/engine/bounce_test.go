package engine

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/cleversender/cleversender/domain"
)

// A message comes back to an address that says which it was, when there is a
// domain for that, and to its sender otherwise.
func TestReturnPath(t *testing.T) {
	for bounce, want := range map[string]string{"": "news@books.example", "Bounces.Bücher.example": "@bounces.xn--bcher-kva.example"} {
		e := &Engine{options: Options{BounceDomain: bounce}, Signer: composing(newsletter()).signer}
		made, err := e.newComposer()
		if err != nil {
			t.Fatal(err)
		}
		made.log, made.base = composing(newsletter()).log, "https://mail.books.example"
		mailer, err := compiledBy(made, settingsOf())
		if err != nil {
			t.Fatal(err)
		}
		m, err := mailer.Message(context.Background(), nil, reader())
		if err != nil {
			t.Fatal(err)
		}
		if bounce == "" {
			if m.From != want {
				t.Errorf("sent from %s", m.From)
			}
			continue
		}
		local, found := strings.CutSuffix(m.From, want)
		campaign, ordinal, err := e.Signer.ParseBounce(local)
		if err != nil || !found || campaign != (domain.ID{4}) || ordinal != reader().Ordinal {
			t.Errorf("sent from %s: %v", m.From, err)
		}
	}
}

// A domain that no return path can have is refused before anything is sent.
func TestBounceDomainRefused(t *testing.T) {
	for _, bounce := range []string{"example.org.", "a b.example", "x@example.org", strings.Repeat("long.", 40) + "example"} {
		e := &Engine{options: Options{BounceDomain: bounce}, Signer: composing(newsletter()).signer}
		if _, err := e.newComposer(); !errors.Is(err, errBounceDomain) {
			t.Errorf("%s: %v", bounce, err)
		}
	}
}
