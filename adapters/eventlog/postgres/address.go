package postgres

import (
	"errors"
	"maps"
	"regexp"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const defaultSchema = "cleversender_log"

var (
	errSchema      = errors.New("schema: a name in small letters, digits and _, of 40 at most")
	errSynchronous = errors.New("synchronous_commit: on or remote_apply, or an append is not durable when it returns")

	schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,39}$`)
)

// lockSeconds is how long the writer waits for another before it looks who that is.
const lockSeconds = 2

// address is where the log is.
type address struct {
	schema string
	base   *pgx.ConnConfig
	pool   *pgxpool.Config
}

// parse takes a URL of a database with ?schema=.
func parse(url string) (*address, error) {
	pool, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	base := pool.ConnConfig
	at := &address{schema: defaultSchema, base: base, pool: pool}
	if name, ok := base.RuntimeParams["schema"]; ok {
		at.schema = name
		delete(base.RuntimeParams, "schema")
	}
	if !schemaName.MatchString(at.schema) {
		return nil, errSchema
	}
	switch base.RuntimeParams["synchronous_commit"] {
	case "":
		base.RuntimeParams["synchronous_commit"] = "on"
	case "on", "remote_apply":
	default:
		return nil, errSynchronous
	}
	// A standby, or who was the primary before a failover, is no place to write or to read the newest.
	base.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	maps.Copy(base.RuntimeParams, map[string]string{
		"search_path":      at.schema,
		"application_name": at.schema + " reader",
		// All queries here are look-ups by index in a nested loop, whatever statistics say.
		"plan_cache_mode": "force_generic_plan", "jit": "off", "max_parallel_workers_per_gather": "0",
		"enable_seqscan": "off", "enable_bitmapscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off",
	})
	return at, nil
}

// writer is how the one connection connects that appends.
func (a *address) writer() *pgx.ConnConfig {
	c := a.base.Copy()
	c.RuntimeParams["application_name"] = a.schema + " writer"
	c.RuntimeParams["lock_timeout"] = strconv.Itoa(lockSeconds) + "s"
	return c
}
