// Package signing is the keys that an account's domains sign their mail with
// (DKIM, RFC 6376). Private parts are not here: the keyring holds them.
package signing

import (
	"slices"

	"github.com/cleversender/cleversender/domain"
)

// ID names a domain of one account.
type ID = domain.ID

// IDOf names a domain, in lower-case A-labels, of an account.
func IDOf(account domain.ID, name string) ID { return account.Derive("signing/" + name) }

// Stream is where what happens to the keys of a domain lives.
func Stream(id ID) string { return "signing-" + id.String() }

// Algorithm is how a key signs: the k= tag of its DNS record. Names are stored.
type Algorithm string

const (
	RSA     Algorithm = "rsa"     // RFC 6376, section 3.3; RFC 8301, section 3.2
	Ed25519 Algorithm = "ed25519" // RFC 8463; not every receiver can read it yet
)

// Algorithms lists every algorithm.
var Algorithms = []Algorithm{RSA, Ed25519}

// State is how far a key has come. Names are API.
type State string

const (
	Created State = "created" // its DNS record is to be published
	Active  State = "active"
	Retired State = "retired"
)

// Domain is what decisions about a domain's keys need to know.
type Domain struct {
	Name string
	Keys []Key // in the order they were created
}

// Key is one key, by its selector.
type Key struct {
	KeyCreated
	State State
}

// Evolve replays one event.
func (d Domain) Evolve(e Event) Domain {
	switch e := e.(type) {
	case KeyCreated:
		d.Name, d.Keys = e.Domain, append(slices.Clip(d.Keys), Key{e, Created})
	case KeyActivated:
		d = d.with(e.Selector, Active)
	case KeyRetired:
		d = d.with(e.Selector, Retired)
	}
	return d
}

func (d Domain) with(selector string, s State) Domain {
	d.Keys = slices.Clone(d.Keys)
	for i := range d.Keys {
		if d.Keys[i].Selector == selector {
			d.Keys[i].State = s
		}
	}
	return d
}

// Key finds a key by its selector.
func (d Domain) Key(selector string) (k Key, found bool) {
	for _, k := range d.Keys {
		if k.Selector == selector {
			return k, true
		}
	}
	return Key{}, false
}

// In counts the keys in a state.
func (d Domain) In(s State) (n int) {
	for _, k := range d.Keys {
		if k.State == s {
			n++
		}
	}
	return n
}
