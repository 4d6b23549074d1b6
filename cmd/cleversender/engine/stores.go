package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/eventstoredb"
	logpostgres "github.com/cleversender/cleversender/adapters/eventlog/postgres"
	logsqlite "github.com/cleversender/cleversender/adapters/eventlog/sqlite"
	"github.com/cleversender/cleversender/adapters/readmodel"
	modelpostgres "github.com/cleversender/cleversender/adapters/readmodel/postgres"
	modelsqlite "github.com/cleversender/cleversender/adapters/readmodel/sqlite"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/catalog"
)

// Stores are the URLs of where things are kept; "": files in the data folder.
type Stores struct {
	Log        string `help:"Event log: sqlite:PATH, postgres://…, esdb://…. Without it, a file in the data folder." env:"CLEVERSENDER_LOG" placeholder:"URL"`
	ReadModels string `help:"Read models: sqlite:FOLDER, postgres://…. Without it, files in the data folder." env:"CLEVERSENDER_READ_MODELS" placeholder:"URL"`
	Keys       string `help:"Keys and directory: sqlite:PATH, postgres://…. Without it, a file in the data folder." env:"CLEVERSENDER_KEYS" placeholder:"URL"`
}

// ErrStore: a URL of --log, --read-models or --keys that names no store we have.
var ErrStore = domain.Refuse("unknown_store", "the store's URL has to begin with one of the schemes that its flag lists")

// local is the path that a URL names inside the data folder, or outside it:
// "" and "sqlite:" are the usual one. Not ok: the store is elsewhere.
func (o Options) local(url, usual string) (path string, ok bool) {
	if url == "" {
		return filepath.Join(o.Dir, usual), true
	}
	path, ok = strings.CutPrefix(url, "sqlite:")
	switch {
	case !ok:
		return "", false
	case path == "":
		return filepath.Join(o.Dir, usual), true
	case filepath.IsAbs(path):
		return path, true
	default:
		return filepath.Join(o.Dir, path), true
	}
}

func (o Options) localLog() (path string, ok bool)    { return o.local(o.Log, "events.db") }
func (o Options) localModels() (path string, ok bool) { return o.local(o.ReadModels, "models") }
func (o Options) localKeys() (path string, ok bool)   { return o.local(o.Keys, "keys.db") }

// made reports whether Init has been run on a log that is a file of ours.
func (o Options) made() bool {
	path, ok := o.localLog()
	if !ok {
		return true
	}
	_, err := os.Stat(path)
	return err == nil
}

func (e *Engine) openLog(ctx context.Context) (eventlog.Log, error) {
	url := e.options.Log
	if path, ok := e.options.localLog(); ok {
		return logsqlite.Open(ctx, path, logsqlite.Knows(catalog.All.Versions()), logsqlite.OnCommit(measured(e.Metrics)))
	}
	scheme, _, _ := strings.Cut(url, ":")
	switch scheme {
	case "postgres", "postgresql":
		return logpostgres.Open(ctx, url, logpostgres.Knows(catalog.All.Versions()), logpostgres.OnCommit(measured(e.Metrics)))
	case "esdb", "esdb+discover":
		return eventstoredb.Open(ctx, url, eventstoredb.Knows(catalog.All.Versions()), eventstoredb.OnCommit(measured(e.Metrics)))
	default:
		return nil, fmt.Errorf("--log %s: %w", scheme, ErrStore)
	}
}

// openModels opens the store of the read models, and sees to its end.
func (e *Engine) openModels(ctx context.Context) (readmodel.Store, error) {
	url := e.options.ReadModels
	if path, ok := e.options.localModels(); ok {
		return modelsqlite.New(path)
	}
	scheme, _, _ := strings.Cut(url, ":")
	switch scheme {
	case "postgres", "postgresql":
		store, err := modelpostgres.New(ctx, url)
		if err == nil {
			e.closers = append(e.closers, store.Close)
		}
		return store, err
	default:
		return nil, fmt.Errorf("--read-models %s: %w", scheme, ErrStore)
	}
}
