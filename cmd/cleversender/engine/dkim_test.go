package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	msgauth "github.com/emersion/go-msgauth/dkim"
	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/dkim"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/signing"
)

// domains is keys of the test's account, some of which sign, and their records.
type domains struct {
	*composer
	private map[string][]byte
	zone    map[string][]string
}

func newDomains() *domains {
	d := &domains{composing(newsletter()), map[string][]byte{}, map[string][]string{}}
	d.composer.private = func(_ context.Context, account domain.ID, name, selector string) ([]byte, error) {
		key, found := d.private[signing.RecordName(selector, name)]
		if !found || account != testAccount {
			return nil, errors.New("no such key")
		}
		return key, nil
	}
	return d
}

func (d *domains) add(t *testing.T, name, selector string, a signing.Algorithm, then ...signing.Event) {
	t.Helper()
	key, err := dkim.Generate(a)
	if err != nil {
		t.Fatal(err)
	}
	public, _, err := dkim.PublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	log, stream := d.log.(past), signing.Stream(signing.IDOf(testAccount, name))
	events, _ := log[stream].([]any)
	events = append(events, signing.KeyCreated{Domain: name, Selector: selector, Algorithm: a, PublicKey: public})
	for _, e := range then {
		events = append(events, e)
	}
	log[stream] = events
	d.private[signing.RecordName(selector, name)] = key
	d.zone[signing.RecordName(selector, name)] = []string{signing.RecordValue(a, public)}
}

// signatures are those of a message from somebody, as domain/algorithm; all hold.
func (d *domains) signatures(t *testing.T, from string) (by []string) {
	t.Helper()
	settings := settingsOf()
	settings.FromEmail, settings.ReplyTo = from, "answers@books.example"
	m := d.message(t, settings)
	all, err := msgauth.VerifyWithOptions(bytes.NewReader(m), &msgauth.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) { return d.zone[name], nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if v.Err != nil || !slices.Contains(v.HeaderKeys, "List-Unsubscribe") || !slices.Contains(v.HeaderKeys, "List-Unsubscribe-Post") {
			t.Errorf("%s: %v\n%s", v.Domain, v.Err, m)
		}
		by = append(by, v.Domain)
	}
	return by
}

func (d *domains) message(t *testing.T, settings campaign.Settings) []byte {
	t.Helper()
	mailer, err := compiledBy(d.composer, settings)
	if err != nil {
		t.Fatal(err)
	}
	r := reader()
	r.Email, r.Name = "łódź@example.org", "Zoë, who has a name that is folded into the next line of the header, and then once more"
	m, err := mailer.Message(context.Background(), []byte("before"), r)
	if err != nil {
		t.Fatal(err)
	}
	data, found := bytes.CutPrefix(m.Data, []byte("before"))
	if !found {
		t.Fatal("what was in the buffer is lost")
	}
	wired(t, data)
	return data
}

// Every active key of the sender's domain signs; without one, those of the
// nearest parent; no other account's, and none beyond the organisational domain.
func TestWhoSigns(t *testing.T) {
	d := newDomains()
	active := func(s string) signing.Event { return signing.KeyActivated{Selector: s} }
	d.add(t, "books.example", "s1", signing.RSA, active("s1"))
	d.add(t, "books.example", "s2", signing.Ed25519, active("s2"))
	d.add(t, "books.example", "s3", signing.RSA)
	d.add(t, "books.example", "s4", signing.RSA, active("s4"), signing.KeyRetired{Selector: "s4"})
	d.add(t, "own.books.example", "s1", signing.RSA, active("s1"))
	d.add(t, "co.uk", "s1", signing.RSA, active("s1"))
	d.log.(past)[signing.Stream(signing.IDOf(domain.ID{9}, "other.example"))] = []any{
		signing.KeyCreated{Domain: "other.example", Selector: "s1", Algorithm: signing.RSA}, active("s1"),
	}
	for from, want := range map[string][]string{
		"news@books.example":             {"books.example", "books.example"},
		"łódź@Mail.News.Books.Example":   {"books.example", "books.example"},
		"news@own.books.example":         {"own.books.example"},
		"news@other.example":             nil,
		"news@bbc.co.uk":                 nil,
		"news@books.example.example.org": nil,
	} {
		if diff := cmp.Diff(want, d.signatures(t, from)); diff != "" {
			t.Errorf("%s: %s", from, diff)
		}
	}
}

// A run goes on with the keys that it began with.
func TestKeysAreReadOnceARun(t *testing.T) {
	d := newDomains()
	d.add(t, "books.example", "s1", signing.RSA, signing.KeyActivated{Selector: "s1"})
	mailer, err := compiledBy(d.composer, settingsOf())
	if err != nil {
		t.Fatal(err)
	}
	clear(d.private)
	m, err := mailer.Message(context.Background(), nil, reader())
	if err != nil || !bytes.HasPrefix(m.Data, []byte("DKIM-Signature: ")) {
		t.Errorf("%v %.80s", err, m.Data)
	}
}

// A key that signs and cannot be opened keeps the mail back.
func TestUnsignedMailDoesNotLeave(t *testing.T) {
	d := newDomains()
	d.add(t, "books.example", "s1", signing.RSA, signing.KeyActivated{Selector: "s1"})
	clear(d.private)
	if _, err := compiledBy(d.composer, settingsOf()); err == nil {
		t.Error("it leaves")
	}
}

func BenchmarkSignedMessage(b *testing.B) {
	for _, keys := range []int{0, 1} {
		b.Run(fmt.Sprint(keys), func(b *testing.B) {
			d := newDomains()
			if keys > 0 {
				key, err := dkim.Generate(signing.RSA)
				if err != nil {
					b.Fatal(err)
				}
				d.private[signing.RecordName("s1", "books.example")] = key
				d.log.(past)[signing.Stream(signing.IDOf(testAccount, "books.example"))] = []any{
					signing.KeyCreated{Domain: "books.example", Selector: "s1", Algorithm: signing.RSA}, signing.KeyActivated{Selector: "s1"},
				}
			}
			mailer, err := compiledBy(d.composer, settingsOf())
			if err != nil {
				b.Fatal(err)
			}
			var dst []byte
			for b.Loop() {
				m, err := mailer.Message(context.Background(), dst[:0], reader())
				if err != nil {
					b.Fatal(err)
				}
				dst = m.Data
			}
			b.ReportAllocs()
		})
	}
}
