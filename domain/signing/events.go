package signing

import "github.com/cleversender/cleversender/domain/event"

// Event is anything that happens to the keys of a domain.
//
//sumtype:decl
type Event interface{ isSigningEvent() }

// KeyCreated: the domain has a key, which signs nothing yet.
type KeyCreated struct {
	Domain    string    `json:"domain"`
	Selector  string    `json:"selector"`
	Algorithm Algorithm `json:"algorithm"`
	PublicKey string    `json:"public_key"` // as in the p= tag of the DNS record (RFC 6376, section 3.6.1)
}

// KeyActivated: the key signs the domain's mail from now on.
type KeyActivated struct {
	Selector string `json:"selector"`
}

// KeyRetired: the key signs nothing any more, and its private part is destroyed.
type KeyRetired struct {
	Selector string `json:"selector"`
}

func (KeyCreated) isSigningEvent()   {}
func (KeyActivated) isSigningEvent() {}
func (KeyRetired) isSigningEvent()   {}

// Events is the wire contract of this package.
var Events = []event.Type{
	event.Define[KeyCreated]("dkim.key_created"),
	event.Define[KeyActivated]("dkim.key_activated"),
	event.Define[KeyRetired]("dkim.key_retired"),
}
