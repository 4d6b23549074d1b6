// Package account is who uses the installation: the controller of its
// recipients' data, and the tokens that act for it.
package account

import "github.com/cleversender/cleversender/domain"

// ID names an account or a token.
type ID = domain.ID

// Stream is where the account's events live.
func Stream(id ID) string { return "account-" + id.String() }

// A Scope is what a token may do. Names are stored.
type Scope string

const (
	ScopeAccount  Scope = "account"  // everything inside its own account
	ScopeOperator Scope = "operator" // create accounts, rebuild projections, read the log
)
