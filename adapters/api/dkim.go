package api

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/signing"
	"github.com/cleversender/cleversender/projections/dkimkeys"
)

// PrivateKeys holds the private keys that the accounts' domains sign with.
type PrivateKeys interface {
	// Make returns the public part, as in a DNS record, of the key of a selector.
	// When there is none yet it is the one in pem, or a new one when that is empty;
	// it is durable then. It refuses with already_exists when there is another, with
	// dkim_key_retired when it was destroyed, and when pem holds no fit key. A key in
	// pem says itself how it signs.
	Make(ctx context.Context, account domain.ID, name, selector string, a signing.Algorithm, pem string) (publicKey string, made signing.Algorithm, err error)
	// Destroy destroys it for good. Asked again it does nothing.
	Destroy(ctx context.Context, account domain.ID, name, selector string) error
}

// DKIMKey is a key that a domain signs its mail with, without its private part.
type DKIMKey struct {
	Domain      string            `json:"domain"`
	Selector    string            `json:"selector"`
	Algorithm   signing.Algorithm `json:"algorithm"`
	State       signing.State     `json:"state" doc:"created: publish the record, then activate it; active: signs; retired: signs no more"`
	Record      DNSRecord         `json:"record"`
	CreatedAt   time.Time         `json:"created_at"`
	ActivatedAt time.Time         `json:"activated_at,omitzero"`
	RetiredAt   time.Time         `json:"retired_at,omitzero"`
}

// DNSRecord is what to publish.
type DNSRecord struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
	Zone  string `json:"zone" doc:"the same as a line of a zone file"`
}

// DKIMKeyNew is what it takes to make a key.
type DKIMKeyNew struct {
	Domain     string            `json:"domain" maxLength:"253" doc:"that mail comes from: the one of the sender's address, or a parent of it"`
	Selector   string            `json:"selector,omitempty" maxLength:"200" doc:"names the key among those of the domain; without one, today's date does"`
	Algorithm  signing.Algorithm `json:"algorithm,omitempty" doc:"rsa (without it) or ed25519; a private key says it itself"`
	PrivateKey string            `json:"private_key,omitempty" maxLength:"16384" doc:"a key that is there already, in PEM"`
}

// DKIMKeyMade is a new key and its record.
type DKIMKeyMade struct {
	Domain    string            `json:"domain"`
	Selector  string            `json:"selector"`
	Algorithm signing.Algorithm `json:"algorithm"`
	Record    DNSRecord         `json:"record"`
}

// BySelector is the input of what is about one key.
type BySelector struct {
	Domain   string `path:"domain" maxLength:"253"`
	Selector string `path:"selector" maxLength:"200"`
}

func (s *Server) dkimRoutes() {
	add(s, created(route(http.MethodPost, "/dkim-keys", "create-dkim-key", "dkim", "Make a DKIM key of a domain; it signs once it is activated")),
		func(ctx context.Context, in *struct {
			Idempotent
			Body DKIMKeyNew
		}) (*Answer[DKIMKeyMade], error) {
			return s.createDKIMKey(ctx, in.Idempotent, in.Body)
		})
	add(s, route(http.MethodGet, "/dkim-keys", "list-dkim-keys", "dkim", "List the DKIM keys, retired ones too"),
		func(ctx context.Context, in *struct{ Waiting }) (*Shown[Page[DKIMKey]], error) {
			return s.listDKIMKeys(ctx, in.Waiting)
		})
	add(s, route(http.MethodGet, "/dkim-keys/{domain}/{selector}", "get-dkim-key", "dkim", "Show a DKIM key and its record"),
		func(ctx context.Context, in *struct {
			BySelector
			Waiting
		}) (*Shown[DKIMKey], error) {
			return s.findDKIMKey(ctx, in.BySelector, in.Waiting)
		})
	add(s, route(http.MethodPost, "/dkim-keys/{domain}/{selector}/activate", "activate-dkim-key", "dkim", "Sign with a key whose record is published"),
		func(ctx context.Context, in *struct {
			BySelector
			Idempotent
		}) (*Changed, error) {
			req := s.request(ctx, in.Idempotent)
			id, _, err := s.signingDomain(req.Account, in.Domain)
			if err != nil {
				return nil, err
			}
			at, err := do(ctx, s, req, in.Idempotent, commands.ActivateDKIMKey{Domain: id, Selector: strings.ToLower(in.Selector)})
			return &Changed{at}, err
		})
	add(s, route(http.MethodPost, "/dkim-keys/{domain}/{selector}/retire", "retire-dkim-key", "dkim", "Sign with a key no more, and destroy its private part"),
		func(ctx context.Context, in *struct {
			BySelector
			Idempotent
		}) (*Changed, error) {
			return s.retireDKIMKey(ctx, in.BySelector, in.Idempotent)
		})
}

// signingDomain is a domain's id and its name in lower-case A-labels.
func (s *Server) signingDomain(account domain.ID, name string) (signing.ID, string, error) {
	plain, _, err := s.deps.Address("x@" + name)
	if err != nil {
		return signing.ID{}, "", commands.ErrSigningDomain
	}
	_, ascii, _ := strings.Cut(plain, "@")
	return signing.IDOf(account, ascii), ascii, nil
}

func (s *Server) createDKIMKey(ctx context.Context, key Idempotent, in DKIMKeyNew) (*Answer[DKIMKeyMade], error) {
	req := s.request(ctx, key)
	id, name, err := s.signingDomain(req.Account, in.Domain)
	if err != nil {
		return nil, err
	}
	selector := strings.ToLower(in.Selector)
	if selector == "" {
		selector = "cs" + s.deps.Now().UTC().Format("20060102")
	}
	algorithm := cmp.Or(in.Algorithm, signing.RSA)
	if err := commands.ReadyForDKIM(name, selector, algorithm); err != nil {
		return nil, err
	}
	public, algorithm, err := s.deps.PrivateKeys.Make(ctx, req.Account, name, selector, algorithm, in.PrivateKey)
	if err != nil {
		return nil, err
	}
	at, err := do(ctx, s, req, key, commands.CreateDKIMKey{Domain: id, Name: name, Selector: selector, Algorithm: algorithm, PublicKey: public})
	return &Answer[DKIMKeyMade]{at, DKIMKeyMade{name, selector, algorithm, recordOf(name, selector, algorithm, public)}}, err
}

// retireDKIMKey destroys the private part after the event: what is still
// recorded as a key in use can be used.
func (s *Server) retireDKIMKey(ctx context.Context, in BySelector, key Idempotent) (*Changed, error) {
	req := s.request(ctx, key)
	id, name, err := s.signingDomain(req.Account, in.Domain)
	if err != nil {
		return nil, err
	}
	selector := strings.ToLower(in.Selector)
	at, err := do(ctx, s, req, key, commands.RetireDKIMKey{Domain: id, Selector: selector})
	if err != nil {
		return nil, err
	}
	return &Changed{at}, s.deps.PrivateKeys.Destroy(ctx, req.Account, name, selector)
}

func (s *Server) listDKIMKeys(ctx context.Context, w Waiting) (*Shown[Page[DKIMKey]], error) {
	rows, err := s.read(ctx, dkimkeys.Projection.Name, w)
	if err != nil {
		return nil, err
	}
	found, err := dkimkeys.Of(ctx, rows, callerOf(ctx).account)
	if err != nil {
		return nil, err
	}
	return &Shown[Page[DKIMKey]]{page(found, len(found), showDKIMKey, nil)}, nil
}

func (s *Server) findDKIMKey(ctx context.Context, in BySelector, w Waiting) (*Shown[DKIMKey], error) {
	account := callerOf(ctx).account
	id, _, err := s.signingDomain(account, in.Domain)
	if err != nil {
		return nil, err
	}
	rows, err := s.read(ctx, dkimkeys.Projection.Name, w)
	if err != nil {
		return nil, err
	}
	k, found, err := dkimkeys.Find(ctx, rows, account, id, strings.ToLower(in.Selector))
	if err == nil && !found {
		err = commands.ErrNotFound
	}
	return &Shown[DKIMKey]{showDKIMKey(k)}, err
}

func showDKIMKey(k dkimkeys.Key) DKIMKey {
	return DKIMKey{
		k.Domain, k.Selector, k.Algorithm, k.State(), recordOf(k.Domain, k.Selector, k.Algorithm, k.PublicKey),
		k.CreatedAt, k.ActivatedAt, k.RetiredAt,
	}
}

func recordOf(name, selector string, a signing.Algorithm, public string) DNSRecord {
	at, value := signing.RecordName(selector, name), signing.RecordValue(a, public)
	return DNSRecord{at, "TXT", value, signing.ZoneLine(at, value)}
}
