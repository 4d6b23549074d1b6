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
	at, err := r.Get(ctx, hashes, hash)
	if err != nil || at == nil {
		return Token{}, false, err
	}
	row, err := r.Get(ctx, tokens, at[1], at[2])
	if err != nil || row == nil {
		return Token{}, false, err
	}
	return read(row), true, nil
}

// most is how many tokens of one account are read.
const most = 1000

// Of returns the tokens of an account, in id order, revoked ones too.
func Of(ctx context.Context, r projections.Reader, account domain.ID) ([]Token, error) {
	rows, err := r.Scan(ctx, tokens, []any{account[:]}, nil, most)
	out := make([]Token, len(rows))
	for i, row := range rows {
		out[i] = read(row)
	}
	return out, err
}

// FindAccount returns an account.
func FindAccount(ctx context.Context, r projections.Reader, id domain.ID) (a Account, found bool, err error) {
	row, err := r.Get(ctx, accounts, id[:])
	if err != nil || row == nil {
		return Account{}, false, err
	}
	return readAccount(row), true, nil
}

// Accounts returns up to limit accounts in id order, after one.
func Accounts(ctx context.Context, r projections.Reader, after domain.ID, limit int) ([]Account, error) {
	var past []any
	if !after.IsZero() {
		past = []any{after[:]}
	}
	rows, err := r.Scan(ctx, accounts, nil, past, limit)
	out := make([]Account, len(rows))
	for i, row := range rows {
		out[i] = readAccount(row)
	}
	return out, err
}
