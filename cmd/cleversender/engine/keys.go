package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/adapters/desk"
	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/keyring"
	keypostgres "github.com/cleversender/cleversender/adapters/keyring/postgres"
	keysqlite "github.com/cleversender/cleversender/adapters/keyring/sqlite"
	"github.com/cleversender/cleversender/domain"
)

// Keyring is the keys, the secrets and the directory, as the engine uses them.
type Keyring interface {
	eventlog.Keyring
	api.Keys
	desk.Keys
	desk.Directory
	MACKey(ctx context.Context, purpose string) ([]byte, error)
	Keep(ctx context.Context, name string, make func() ([]byte, error)) ([]byte, error)
	Kept(ctx context.Context, name string) ([]byte, error)
	Destroy(ctx context.Context, name string) error
	Reserve(ctx context.Context, account domain.ID, addresses []string) ([]keyring.Reservation, error)
	Find(ctx context.Context, account domain.ID, address string) (person domain.ID, found bool, err error)
	Move(ctx context.Context, account domain.ID, old, new string, person domain.ID) error
	Close() error
}

func (e *Engine) openKeys(ctx context.Context) (Keyring, error) {
	url, root := e.options.Keys, e.options.rootKey()
	if path, ok := e.options.localKeys(); ok {
		return keysqlite.Open(ctx, path, root)
	}
	scheme, _, _ := strings.Cut(url, ":")
	switch scheme {
	case "postgres", "postgresql":
		return keypostgres.Open(ctx, url, root)
	default:
		return nil, fmt.Errorf("--keys %s: %w", scheme, ErrStore)
	}
}
