package commands

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/signing"
)

const (
	maxDKIMKeys   = 20 // of a domain, retired ones apart
	maxDKIMActive = 4  // each costs every message a signature
	maxPublicKey  = 4096
)

var (
	ErrSigningDomain = domain.Refuse("bad_domain", "this is not the name of a domain that mail comes from")
	ErrSelector      = domain.Refuse("bad_selector", "a selector is letters, digits and hyphens, with dots between")
	ErrAlgorithm     = domain.Refuse("unknown_algorithm", "a DKIM key is rsa or ed25519")
	ErrPublicKey     = domain.Refuse("bad_public_key", "the public key is not base64")
	ErrDKIMRetired   = domain.Refuse("dkim_key_retired", "the key has been retired; make one with another selector")
	ErrDKIMTooMany   = domain.Refuse("too_many_dkim_keys", "the domain has too many DKIM keys; retire one")
)

// CreateDKIMKey says that a domain has a key, whose private part is kept already.
type CreateDKIMKey struct {
	Domain    signing.ID // signing.IDOf the account and Name
	Name      string     // in lower-case A-labels
	Selector  string     // lower case
	Algorithm signing.Algorithm
	PublicKey string
}

// Stream implements Command.
func (c CreateDKIMKey) Stream() string { return signing.Stream(c.Domain) }

// Decide implements Command.
func (c CreateDKIMKey) Decide(is signing.Domain) ([]signing.Event, error) {
	created := signing.KeyCreated{Domain: c.Name, Selector: c.Selector, Algorithm: c.Algorithm, PublicKey: c.PublicKey}
	if k, found := is.Key(c.Selector); found {
		switch {
		case k.State == signing.Retired:
			return nil, ErrDKIMRetired
		case k.KeyCreated != created:
			return nil, ErrExists
		}
		return nil, nil
	}
	if err := ReadyForDKIM(c.Name, c.Selector, c.Algorithm); err != nil {
		return nil, err
	}
	if raw, err := base64.StdEncoding.DecodeString(c.PublicKey); err != nil || len(raw) == 0 || len(c.PublicKey) > maxPublicKey {
		return nil, ErrPublicKey
	}
	if len(is.Keys)-is.In(signing.Retired) >= maxDKIMKeys {
		return nil, ErrDKIMTooMany
	}
	return []signing.Event{created}, nil
}

// ReadyForDKIM refuses what no key can be made for: ask before one is made.
func ReadyForDKIM(name, selector string, a signing.Algorithm) error {
	switch {
	case !isHost(name) || !strings.Contains(name, "."):
		return ErrSigningDomain
	case !isHost(selector) || len(signing.RecordName(selector, name)) > maxHost: // RFC 6376, section 3.1
		return ErrSelector
	case !slices.Contains(signing.Algorithms, a):
		return ErrAlgorithm
	}
	return nil
}

const maxHost = 253 // RFC 1035, section 2.3.4, as text

// isHost: letters in lower case, digits and hyphens between dots (RFC 5321, section 4.1.2).
func isHost(s string) bool {
	if len(s) > maxHost {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}
