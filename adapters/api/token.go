package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
	"github.com/cleversender/cleversender/projections/tokens"
)

// Token is a bearer token, without its secret.
type Token struct {
	ID        domain.ID       `json:"id"`
	Label     string          `json:"label"`
	Scopes    []account.Scope `json:"scopes" nullable:"false"`
	IssuedAt  time.Time       `json:"issued_at"`
	RevokedAt time.Time       `json:"revoked_at,omitzero"`
}

// TokenNew is what it takes to issue a token.
type TokenNew struct {
	Label  string          `json:"label" maxLength:"200" doc:"what it is for"`
	Scopes []account.Scope `json:"scopes" minItems:"1" maxItems:"2" nullable:"false" doc:"account: everything inside the account; operator: the installation"`
}

// TokenIssued is a token with its secret, which is shown once.
type TokenIssued struct {
	ID     domain.ID       `json:"id"`
	Label  string          `json:"label"`
	Scopes []account.Scope `json:"scopes" nullable:"false"`
	Secret string          `json:"secret,omitempty"`
}

func (s *Server) tokenRoutes() {
	add(s, created(route(http.MethodPost, "/tokens", "issue-token", "tokens", "Issue a token; its secret is shown once")),
		func(ctx context.Context, in *struct {
			Idempotent
			Body TokenNew
		}) (*Answer[TokenIssued], error) {
			return s.issueToken(ctx, in.Idempotent, in.Body)
		})
	add(s, route(http.MethodGet, "/tokens", "list-tokens", "tokens", "List the account's tokens, revoked ones too"),
		func(ctx context.Context, in *struct{ Waiting }) (*Shown[Page[Token]], error) {
			return s.listTokens(ctx, in.Waiting)
		})
	add(s, route(http.MethodDelete, "/tokens/{id}", "revoke-token", "tokens", "Revoke a token"),
		func(ctx context.Context, in *struct {
			ID domain.ID `path:"id"`
		}) (*Changed, error) {
			return s.revokeToken(ctx, in.ID)
		})
}

func (s *Server) issueToken(ctx context.Context, key Idempotent, in TokenNew) (*Answer[TokenIssued], error) {
	who := callerOf(ctx)
	for _, scope := range in.Scopes {
		if slices.Contains(account.Scopes, scope) && !who.may(scope) {
			return nil, domain.Refuse("forbidden", "a token cannot issue one that may do more than itself")
		}
	}
	req := s.request(ctx, key)
	t := TokenIssued{s.newID(req, key, "token"), in.Label, in.Scopes, newSecret()}
	at, err := do(ctx, s, req, key, commands.IssueToken{
		AccountID: who.account, Token: t.ID, Hash: hashOf(t.Secret), Label: t.Label, Scopes: t.Scopes,
	})
	if err != nil {
		return nil, err
	}
	return &Answer[TokenIssued]{at, t}, s.wait(ctx, tokens.Projection.Name, at)
}

func (s *Server) listTokens(ctx context.Context, w Waiting) (*Shown[Page[Token]], error) {
	rows, err := s.read(ctx, tokens.Projection.Name, w)
	if err != nil {
		return nil, err
	}
	found, err := tokens.Of(ctx, rows, callerOf(ctx).account)
	if err != nil {
		return nil, err
	}
	show := func(t tokens.Token) Token { return Token{t.ID, t.Label, t.Scopes, t.IssuedAt, t.RevokedAt} }
	return &Shown[Page[Token]]{page(found, len(found), show, nil)}, nil
}

// revokeToken returns when no request with the token is taken any more.
func (s *Server) revokeToken(ctx context.Context, id domain.ID) (*Changed, error) {
	req := s.request(ctx, Idempotent{})
	at, err := do(ctx, s, req, Idempotent{}, commands.RevokeToken{AccountID: req.Account, Token: id})
	if err != nil {
		return nil, err
	}
	return &Changed{at}, s.wait(ctx, tokens.Projection.Name, at)
}
