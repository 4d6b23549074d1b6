package tokens

import (
	"context"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
	"github.com/cleversender/cleversender/projections"
)

// Token is a bearer token, known by its hash.
type Token struct {
	Account, ID domain.ID
	Hash        string // SHA-256, hex
	Label       string
	Scopes      []account.Scope
	IssuedAt    time.Time
	RevokedAt   time.Time // zero: it holds
}

// Account is a controller.
type Account struct {
	ID        domain.ID
	Name      string
	CreatedAt time.Time
}

// ByHash returns the token whose SHA-256, hex, this is; a revoked one too.
func ByHash(ctx context.Context, r projections.Reader, hash string) (t Token, found bool, err error) {
	return Token{}, false, nil
}

// Of returns the tokens of an account, in id order, revoked ones too.
func Of(ctx context.Context, r projections.Reader, account domain.ID) ([]Token, error) {
	return nil, nil
}

// FindAccount returns an account.
func FindAccount(ctx context.Context, r projections.Reader, id domain.ID) (a Account, found bool, err error) {
	return Account{}, false, nil
}

// Accounts returns up to limit accounts in id order, after one.
func Accounts(ctx context.Context, r projections.Reader, after domain.ID, limit int) ([]Account, error) {
	return nil, nil
}
