package api

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
	"github.com/cleversender/cleversender/projections/tokens"
)

// Account is a controller: who is responsible for its recipients' data.
type Account struct {
	ID        domain.ID `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
}

// AccountNew is what it takes to create an account.
type AccountNew struct {
	Name string `json:"name" minLength:"1" maxLength:"200"`
}

// AccountCreated is an account and its first token.
type AccountCreated struct {
	ID    domain.ID   `json:"id"`
	Name  string      `json:"name"`
	Token TokenIssued `json:"token" doc:"the secret is shown this once"`
}

// AccountOwn is the account that the token acts for, and what it may do.
type AccountOwn struct {
	ID     domain.ID       `json:"id"`
	Name   string          `json:"name"`
	Token  domain.ID       `json:"token"`
	Scopes []account.Scope `json:"scopes" nullable:"false"`
}

func (s *Server) accountRoutes() {
	add(s, created(operatorRoute(http.MethodPost, "/accounts", "create-account", "accounts", "Create an account and its first token")),
		func(ctx context.Context, in *struct {
			Idempotent
			Body AccountNew
		}) (*Answer[AccountCreated], error) {
			return s.createAccount(ctx, in.Idempotent, in.Body)
		})
	add(s, operatorRoute(http.MethodGet, "/accounts", "list-accounts", "accounts", "List the accounts"),
		func(ctx context.Context, in *struct {
			Paged
			Waiting
		}) (*Shown[Page[Account]], error) {
			return s.listAccounts(ctx, in.Paged, in.Waiting)
		})
	own := route(http.MethodGet, "/account", "get-own-account", "accounts", "Show the account that the token acts for")
	own.Security[0][bearer] = []string{string(account.ScopeAccount), string(account.ScopeOperator)}
	add(s, own, func(ctx context.Context, _ *struct{}) (*Shown[AccountOwn], error) {
		who := callerOf(ctx)
		a, found, err := tokens.FindAccount(ctx, s.deps.Models.Reader(tokens.Projection.Name), who.account)
		if err == nil && !found {
			err = commands.ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		return &Shown[AccountOwn]{AccountOwn{a.ID, a.Name, who.token, who.scopes}}, nil
	})
}

func (s *Server) createAccount(ctx context.Context, key Idempotent, in AccountNew) (*Answer[AccountCreated], error) {
	req := s.request(ctx, key)
	id := s.newID(req, key, "account")
	req.Account = id
	if _, err := do(ctx, s, req, key, commands.CreateAccount{AccountID: id, Name: in.Name}); err != nil {
		return nil, err
	}
	token := TokenIssued{ID: s.newID(req, key, "token"), Label: "first", Scopes: []account.Scope{account.ScopeAccount}, Secret: newSecret()}
	req.ID = req.ID.Derive("token")
	at, err := do(ctx, s, req, key, commands.IssueToken{
		AccountID: id, Token: token.ID, Hash: hashOf(token.Secret), Label: token.Label, Scopes: token.Scopes,
	})
	if errors.Is(err, commands.ErrExists) { // asked again: the secret was shown the first time
		token.Secret = ""
		head, err := s.deps.Log.Head(ctx)
		return &Answer[AccountCreated]{uint64(head), AccountCreated{id, in.Name, token}}, err
	}
	if err != nil {
		return nil, err
	}
	return &Answer[AccountCreated]{at, AccountCreated{id, in.Name, token}}, s.wait(ctx, tokens.Projection.Name, at)
}

func (s *Server) listAccounts(ctx context.Context, p Paged, w Waiting) (*Shown[Page[Account]], error) {
	after, err := p.afterID()
	if err != nil {
		return nil, err
	}
	rows, err := s.read(ctx, tokens.Projection.Name, w)
	if err != nil {
		return nil, err
	}
	found, err := tokens.Accounts(ctx, rows, after, p.Limit+1)
	if err != nil {
		return nil, err
	}
	return &Shown[Page[Account]]{page(found, p.Limit,
		func(a tokens.Account) Account { return Account(a) },
		func(a tokens.Account) string { return a.ID.String() })}, nil
}

// newSecret makes a bearer token: 256 random bits, with a prefix that scanners
// of leaked secrets can know it by.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:])
}
