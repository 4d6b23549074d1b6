package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
	"github.com/cleversender/cleversender/projections/tokens"
)

const bearer = "bearer"

// caller is who asks: a token, and the account that it acts for.
type caller struct {
	account, token domain.ID
	scopes         []account.Scope
}

func (c caller) may(s account.Scope) bool { return slices.Contains(c.scopes, s) }

type callerKey struct{}

// callerOf is who asks; the middleware has put it there.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

var (
	errNoToken  = domain.Refuse("unauthenticated", "a bearer token is needed, and this is none that holds")
	errNoScope  = domain.Refuse("forbidden", "the token may not do this")
	tokenPrefix = "cs_"
)

// authenticate finds the caller, and asks for one of the scopes of the operation.
func (s *Server) authenticate(ctx huma.Context, next func(huma.Context)) {
	wanted := ctx.Operation().Security
	if len(wanted) == 0 {
		next(ctx)
		return
	}
	c, err := s.caller(ctx.Context(), ctx.Header("Authorization"))
	if err == nil && !slices.ContainsFunc(wanted[0][bearer], func(scope string) bool { return c.may(account.Scope(scope)) }) {
		err = errNoScope
	}
	if err != nil {
		_, w := humago.Unwrap(ctx)
		p := toProblem(ctx.Context(), s.deps.Logger, ctx.Operation().OperationID, err)
		if p.Status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="cleversender"`)
		}
		writeProblem(w, p)
		return
	}
	next(huma.WithValue(ctx, callerKey{}, c))
}

func (s *Server) caller(ctx context.Context, header string) (caller, error) {
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return caller{}, errNoToken
	}
	// The secret has 256 random bits: its hash can be looked up as it is.
	t, found, err := s.token(ctx, hashOf(strings.TrimSpace(secret)))
	switch {
	case err != nil:
		return caller{}, err
	case !found, !t.RevokedAt.IsZero():
		return caller{}, errNoToken
	}
	return caller{t.Account, t.ID, t.Scopes}, nil
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func (s *Server) token(ctx context.Context, hash string) (tokens.Token, bool, error) {
	if s.deps.Local != nil {
		if t, found := s.deps.Local(hash); found {
			return t, true, nil
		}
	}
	return tokens.ByHash(ctx, s.deps.Models.Reader(tokens.Projection.Name), hash)
}
