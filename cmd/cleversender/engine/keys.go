package engine

import (
	"context"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/adapters/desk"
	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/keyring"
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

func (e *Engine) openKeys(ctx context.Context) error {
	keys, err := keysqlite.Open(ctx, e.Folder.Path("keys.db"), e.options.rootKey())
	if err != nil {
		return err
	}
	e.Keys = keys
	e.closers = append(e.closers, keys.Close)
	return nil
}
