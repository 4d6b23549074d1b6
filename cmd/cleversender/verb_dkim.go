package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/domain/signing"
)

type dkimVerbs struct {
	Create   dkimCreateVerb   `cmd:"" help:"Make a key of a domain and show the DNS record to publish."`
	List     dkimListVerb     `cmd:"" aliases:"ls" help:"List the keys."`
	Record   dkimRecordVerb   `cmd:"" help:"Show a key's DNS record."`
	Activate dkimActivateVerb `cmd:"" help:"Sign with a key, once its record is published: campaigns that start or resume from now on."`
	Retire   dkimRetireVerb   `cmd:"" help:"Sign with a key no more and destroy its private part. Leave its record for a week: mail is still under way."`
}

type dkimCreateVerb struct {
	Domain     string            `help:"Domain of the sender's address, or a parent of it." required:""`
	Selector   string            `help:"Names the key among those of the domain; without one, today's date does."`
	Algorithm  signing.Algorithm `help:"How to sign: rsa, ed25519. Some receivers do not read ed25519: have an rsa key beside it."`
	PrivateKey string            `help:"File with a private key that is there already (PEM)." type:"existingfile"`
}

// Run implements the verb.
func (v dkimCreateVerb) Run(s *session) error {
	in := api.DKIMKeyNew{Domain: v.Domain, Selector: v.Selector, Algorithm: v.Algorithm}
	if v.PrivateKey != "" {
		pem, err := os.ReadFile(v.PrivateKey)
		if err != nil {
			return fmt.Errorf("read private key: %w", err)
		}
		if len(pem) == 0 {
			return errors.New("read private key: the file is empty")
		}
		in.PrivateKey = string(pem)
	}
	var made api.DKIMKeyMade
	if err := s.post("/dkim-keys", in, &made); err != nil {
		return err
	}
	return s.print(made, func(w io.Writer) {
		fmt.Fprintf(w, "%s\n\nPublish this record, then: cleversender dkim activate %s %s\n", made.Record.Zone, made.Domain, made.Selector)
	})
}

type dkimListVerb struct{}

// Run implements the verb.
func (dkimListVerb) Run(s *session) error {
	return listed(s, "/dkim-keys", paging{}, []string{"DOMAIN", "SELECTOR", "ALGORITHM", "STATE", "CREATED", "ACTIVATED", "RETIRED"},
		func(k api.DKIMKey) []string {
			return []string{k.Domain, k.Selector, string(k.Algorithm), string(k.State), date(k.CreatedAt), date(k.ActivatedAt), date(k.RetiredAt)}
		})
}

// dkimKey names a key.
type dkimKey struct {
	Domain   string `arg:""`
	Selector string `arg:""`
}

func (k dkimKey) path() string {
	return "/dkim-keys/" + url.PathEscape(k.Domain) + "/" + url.PathEscape(k.Selector)
}

type dkimRecordVerb struct{ dkimKey }

// Run implements the verb.
func (v dkimRecordVerb) Run(s *session) error {
	var k api.DKIMKey
	if err := s.get(v.path(), &k); err != nil {
		return err
	}
	return s.print(k.Record, func(w io.Writer) { fmt.Fprintln(w, k.Record.Zone) })
}

type dkimActivateVerb struct{ dkimKey }

// Run implements the verb.
func (v dkimActivateVerb) Run(s *session) error {
	return s.done(s.post(v.path()+"/activate", nil, nil), "activated")
}

type dkimRetireVerb struct{ dkimKey }

// Run implements the verb.
func (v dkimRetireVerb) Run(s *session) error {
	return s.done(s.post(v.path()+"/retire", nil, nil), "retired")
}
