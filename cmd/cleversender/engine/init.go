package engine

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
)

// ErrExists: the folder has been made before.
var ErrExists = domain.Refuse("folder_exists", "the data folder has been initialised before")

// Init makes a data folder: keys, the first account, and its first token,
// which may also operate the installation. The token is shown this once.
func Init(ctx context.Context, o Options, accountName string) (id domain.ID, token string, err error) {
	if _, ok := o.localLog(); ok && o.made() {
		return id, "", ErrExists
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return id, "", fmt.Errorf("data folder: %w", err)
	}
	if strings.HasPrefix(o.rootKey(), "file://") {
		if err := keyring.CreateRootKey(o.rootKey()); err != nil {
			return id, "", err
		}
	}
	e, err := open(ctx, o)
	if err != nil {
		return id, "", err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	if head, err := e.Journal.Head(ctx); err != nil || head > 0 {
		return id, "", cmp.Or(err, ErrExists)
	}
	return e.CreateAccount(ctx, accountName, []account.Scope{account.ScopeAccount, account.ScopeOperator})
}

// CreateAccount makes an account and its first token.
func (e *Engine) CreateAccount(ctx context.Context, name string, scopes []account.Scope) (domain.ID, string, error) {
	id := NewID()
	req := commands.Request{ID: NewID(), Account: id}
	if _, err := commands.Handle(ctx, e.Journal, req, commands.CreateAccount{AccountID: id, Name: name}); err != nil {
		return id, "", err
	}
	token, hash := NewToken()
	issue := commands.IssueToken{AccountID: id, Token: NewID(), Hash: hash, Label: "first", Scopes: scopes}
	_, err := commands.Handle(ctx, e.Journal, req, issue)
	return id, token, err
}

// NewToken is a random bearer token of 256 bits, and the hash that is kept of it.
func NewToken() (token, hash string) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	token = "cs_" + base64.RawURLEncoding.EncodeToString(secret)
	sum := sha256.Sum256([]byte(token))
	return token, hex.EncodeToString(sum[:])
}
