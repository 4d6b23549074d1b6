package account

import "github.com/cleversender/cleversender/domain/event"

// Event is anything that happens to an account.
//
//sumtype:decl
type Event interface{ isAccountEvent() }

// Created: an account exists. It is the controller of its recipients' data.
type Created struct {
	Name string `json:"name"`
}

// TokenIssued: whoever presents the token acts for the account. Only its hash
// is kept.
type TokenIssued struct {
	Token  ID      `json:"token"`
	Hash   string  `json:"hash"` // SHA-256 of the token, hex
	Label  string  `json:"label"`
	Scopes []Scope `json:"scopes"`
}

// TokenRevoked: the token is worth nothing from now on.
type TokenRevoked struct {
	Token ID `json:"token"`
}

func (Created) isAccountEvent()      {}
func (TokenIssued) isAccountEvent()  {}
func (TokenRevoked) isAccountEvent() {}

// Events is the wire contract of this package.
var Events = []event.Type{
	event.Define[Created]("account.created"),
	event.Define[TokenIssued]("account.token_issued"),
	event.Define[TokenRevoked]("account.token_revoked"),
}
