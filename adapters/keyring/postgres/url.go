package postgres

import (
	"hash/fnv"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cleversender/cleversender/domain"
)

// ErrURL: the URL cannot be read. It is not shown, for it may hold a password.
var ErrURL = domain.Refuse("keys_url", "keys are at postgres://user@host/database, with schema=name (lower-case letters, digits, _) and epochs=file:///path if need be")

// place is where a keyring is.
type place struct {
	config *pgxpool.Config
	schema string // of the keys, and the channel of notifications
	epochs string // path of the file; "": in a schema of their own
	gate   int64  // advisory lock of what adds and what takes away
	turn   int64  // advisory lock of what only one node does at a time: migrations, epochs
}

var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,50}$`)

func parse(raw string) (place, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return place{}, ErrURL
	}
	query := u.Query()
	at := place{schema: "cleversender_keys"}
	if query.Has("schema") {
		at.schema = query.Get("schema")
	}
	if query.Has("epochs") {
		path, ok := strings.CutPrefix(query.Get("epochs"), "file://")
		if !ok || !strings.HasPrefix(path, "/") {
			return place{}, ErrURL
		}
		at.epochs = path
	}
	query.Del("schema")
	query.Del("epochs")
	u.RawQuery = query.Encode()
	if at.config, err = pgxpool.ParseConfig(u.String()); err != nil || !schemaName.MatchString(at.schema) {
		return place{}, ErrURL
	}
	at.gate, at.turn = lock(at.schema+"/gate"), lock(at.schema+"/turn")
	at.config.MaxConns = max(at.config.MaxConns, 2) // one may be taking its turn
	at.config.ConnConfig.ConnectTimeout = max(at.config.ConnConfig.ConnectTimeout, 5*time.Second)
	if at.config.ConnConfig.ValidateConnect == nil { // of several servers, only the primary will do
		at.config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	params := at.config.ConnConfig.RuntimeParams
	if params["synchronous_commit"] != "remote_apply" {
		params["synchronous_commit"] = "on" // less is not durable
	}
	for name, value := range map[string]string{
		"search_path":      at.schema,
		"application_name": "cleversender keys",
		// Everything is found by primary key. Tables that were empty when a plan
		// was made, and grow by millions in a minute, are not to be scanned.
		"plan_cache_mode": "force_generic_plan", "jit": "off",
		"enable_seqscan": "off", "enable_bitmapscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off",
	} {
		params[name] = value
	}
	return at, nil
}

func lock(name string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("cleversender keys/" + name)) // never fails
	return int64(h.Sum64())
}
