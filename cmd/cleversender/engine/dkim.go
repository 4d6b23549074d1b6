package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/cleversender/cleversender/adapters/dkim"
	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/adapters/preflight"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/signing"
)

// privateKeys is what domains sign with: made by dkim, kept by the keyring.
type privateKeys struct{ Keyring }

// kept is the name that a private key is kept by. It is stored.
func kept(account domain.ID, name, selector string) string {
	return "dkim/" + account.String() + "/" + name + "/" + selector
}

// Make implements api.PrivateKeys.
func (p privateKeys) Make(ctx context.Context, account domain.ID, name, selector string, a signing.Algorithm, pem string) (string, signing.Algorithm, error) {
	var brought []byte
	if pem != "" {
		var err error
		if brought, a, err = dkim.Import([]byte(pem)); err != nil {
			return "", "", err
		}
	}
	key, err := p.Keep(ctx, kept(account, name, selector), func() ([]byte, error) {
		if brought != nil {
			return brought, nil
		}
		return dkim.Generate(a)
	})
	switch {
	case errors.Is(err, keyring.ErrDestroyed):
		return "", "", commands.ErrDKIMRetired
	case err != nil:
		return "", "", err
	case brought != nil && !bytes.Equal(key, brought):
		return "", "", commands.ErrExists
	}
	public, made, err := dkim.PublicKey(key)
	if err == nil && made != a {
		err = commands.ErrExists
	}
	return public, made, err
}

// private is the key of a selector that is in use.
func (p privateKeys) private(ctx context.Context, account domain.ID, name, selector string) ([]byte, error) {
	key, err := p.Kept(ctx, kept(account, name, selector))
	if err == nil && key == nil {
		err = fmt.Errorf("the private key %s of %s is not in the keyring", selector, name)
	}
	return key, err
}

// Destroy implements api.PrivateKeys.
func (p privateKeys) Destroy(ctx context.Context, account domain.ID, name, selector string) error {
	return p.Keyring.Destroy(ctx, kept(account, name, selector))
}

// dkimOf signs with every key that is active for a sender's domain when this is
// asked: once for each run of a campaign. A key that cannot be opened is an
// error: mail that should be signed does not leave unsigned.
func (c *composer) dkimOf(ctx context.Context, account domain.ID, host string) (*dkim.Signer, error) {
	active, err := c.active(ctx, account, host)
	if err != nil {
		return nil, err
	}
	keys := make([]dkim.Key, len(active))
	for i, k := range active {
		private, err := c.private(ctx, account, k.Domain, k.Selector)
		if err != nil {
			return nil, err
		}
		keys[i] = dkim.Key{Domain: k.Domain, Selector: k.Selector, Private: private}
	}
	return dkim.NewSigner(keys)
}

// active is the keys that sign a domain's mail: its own, or those of the
// nearest parent that has any.
func (c *composer) active(ctx context.Context, account domain.ID, host string) ([]signing.Key, error) {
	for _, name := range aligned(host) {
		past, err := c.log.Load(ctx, signing.Stream(signing.IDOf(account, name)))
		if err != nil {
			return nil, fmt.Errorf("load the DKIM keys of %s: %w", name, err)
		}
		var d signing.Domain
		for _, e := range past {
			d = d.Evolve(e.Data.(signing.Event))
		}
		keys := slices.DeleteFunc(slices.Clone(d.Keys), func(k signing.Key) bool { return k.State != signing.Active })
		if len(keys) > 0 {
			return keys, nil
		}
	}
	return nil, nil
}

// published is the same keys, as preflight looks for them in the DNS.
func (c *composer) published(ctx context.Context, account domain.ID, host string) ([]preflight.Key, error) {
	keys, err := c.active(ctx, account, host)
	out := make([]preflight.Key, len(keys))
	for i, k := range keys {
		out[i] = preflight.Key{
			Domain: k.Domain, Name: signing.RecordName(k.Selector, k.Domain), Record: signing.RecordValue(k.Algorithm, k.PublicKey),
		}
	}
	return out, err
}

// aligned is the domains that may sign for a sender's, the nearest first: itself
// and its parents up to the organisational domain (RFC 7489, sections 3.1.1 and 3.2).
func aligned(host string) []string {
	host = strings.ToLower(host)
	names := []string{host}
	top, err := publicsuffix.EffectiveTLDPlusOne(host)
	for err == nil && host != top {
		_, host, _ = strings.Cut(host, ".")
		names = append(names, host)
	}
	return names
}
