package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/domain/account"
)

type accountVerbs struct {
	Create accountCreateVerb `cmd:"" help:"Create an account and its first token (operator)."`
	Ls     accountLsVerb     `cmd:"" help:"List the accounts (operator)."`
	Show   accountShowVerb   `cmd:"" help:"Show the account of the token."`
	Token  tokenVerbs        `cmd:"" help:"Tokens of the account."`
}

type accountCreateVerb struct {
	Name string `arg:""`
}

// Run implements the verb.
func (v accountCreateVerb) Run(s *session) error {
	var made api.AccountCreated
	if err := s.post("/accounts", api.AccountNew{Name: v.Name}, &made); err != nil {
		return err
	}
	return s.print(made, func(w io.Writer) {
		fmt.Fprintf(w, "Account  %s\nToken    %s (shown this once)\n", made.ID, made.Token.Secret)
	})
}

type accountLsVerb struct{ paging }

// Run implements the verb.
func (v accountLsVerb) Run(s *session) error {
	return listed(s, "/accounts", v.paging, []string{"ID", "NAME", "CREATED"}, func(a api.Account) []string {
		return []string{a.ID.String(), a.Name, date(a.CreatedAt)}
	})
}

type accountShowVerb struct{}

// Run implements the verb.
func (accountShowVerb) Run(s *session) error {
	var own api.AccountOwn
	if err := s.get("/account", &own); err != nil {
		return err
	}
	return s.print(own, func(w io.Writer) {
		fmt.Fprintf(w, "%s  %s  (%s)\n", own.ID, own.Name, scopes(own.Scopes))
	})
}

type tokenVerbs struct {
	Issue  tokenIssueVerb  `cmd:"" help:"Issue a token."`
	Ls     tokenLsVerb     `cmd:"" help:"List the tokens."`
	Revoke tokenRevokeVerb `cmd:"" help:"Revoke a token."`
}

type tokenIssueVerb struct {
	Label string          `arg:"" help:"What it is for."`
	Scope []account.Scope `help:"What it may do: account, operator." default:"account"`
}

// Run implements the verb.
func (v tokenIssueVerb) Run(s *session) error {
	var made api.TokenIssued
	if err := s.post("/tokens", api.TokenNew{Label: v.Label, Scopes: v.Scope}, &made); err != nil {
		return err
	}
	return s.print(made, func(w io.Writer) {
		fmt.Fprintf(w, "Token  %s (shown this once)\nID     %s\n", made.Secret, made.ID)
	})
}

type tokenLsVerb struct{}

// Run implements the verb.
func (tokenLsVerb) Run(s *session) error {
	return listed(s, "/tokens", paging{}, []string{"ID", "LABEL", "SCOPES", "ISSUED", "REVOKED"}, func(t api.Token) []string {
		return []string{t.ID.String(), t.Label, scopes(t.Scopes), date(t.IssuedAt), date(t.RevokedAt)}
	})
}

type tokenRevokeVerb struct {
	ID string `arg:""`
}

// Run implements the verb.
func (v tokenRevokeVerb) Run(s *session) error {
	return s.done(s.call(http.MethodDelete, "/tokens/"+v.ID, nil, nil), "revoked")
}

func scopes(all []account.Scope) string {
	words := make([]string, len(all))
	for i, sc := range all {
		words[i] = string(sc)
	}
	return strings.Join(words, ", ")
}
