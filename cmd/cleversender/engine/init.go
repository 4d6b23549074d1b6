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

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
)

var (
	// ErrExists: the folder has been made before.
	ErrExists = domain.Refuse("folder_exists", "the data folder has been initialised before")
	// ErrLogExists: another node has made what this one is to share.
	ErrLogExists = domain.Refuse("log_exists",
		"the event log has been initialised before; a further node needs no init: serve there with the same stores and --root-key")
)

// Init makes a data folder: keys, the first account, and its first token,
// which may also operate the installation. The token is shown this once. A root
// key that is there already is used if it is named.
func Init(ctx context.Context, o Options, accountName string) (id domain.ID, token string, err error) {
	if o, err = o.withPasswords(); err != nil {
		return id, "", err
	}
	if err := o.unused(ctx); err != nil {
		return id, "", err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return id, "", fmt.Errorf("data folder: %w", err)
	}
	if strings.HasPrefix(o.rootKey(), "file://") {
		err := keyring.CreateRootKey(o.rootKey())
		if named := o.RootKey != ""; err != nil && !(named && errors.Is(err, keyring.ErrRootKeyExists)) {
			return id, "", err
		}
	}
	e, err := open(ctx, o)
	if err != nil {
		return id, "", err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	if head, err := e.Journal.Head(ctx); err != nil || head > 0 { // another was first
		return id, "", cmp.Or(err, ErrLogExists)
	}
	return e.CreateAccount(ctx, accountName, []account.Scope{account.ScopeAccount, account.ScopeOperator})
}

// unused refuses what Init has been run on, and makes nothing there.
func (o Options) unused(ctx context.Context) error {
	if _, own := o.localLog(); own {
		if o.made() {
			return ErrExists
		}
		return nil
	}
	log, err := (&Engine{options: o, Metrics: prometheus.NewRegistry()}).openLog(ctx)
	if err != nil {
		return err
	}
	head, err := log.Head(ctx)
	if err == nil && head > 0 {
		err = ErrLogExists
	}
	return errors.Join(err, log.Close())
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
