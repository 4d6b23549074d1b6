package postgres

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

// sql is the statements on what every schema has.
type sql struct {
	prepare                           []string
	add, shape, ids, lock             string
	position, at, move, build, asleep string
	poison, poisoned                  string
	replace                           []string
	replaced                          string
	drop                              []string
	beat, leave, hold                 string
	purge, purged                     string
}

const (
	lockTimeout = "SET LOCAL lock_timeout = '5s'"

	alive = "EXISTS (SELECT FROM %nodes% AS n WHERE n.id = m.node AND n.until > clock_timestamp())"
)

func sqlOf(schema string) sql {
	name := func(table string) string { return pgx.Identifier{schema, table}.Sanitize() }
	of := strings.NewReplacer(
		"%schema%", quote(schema), "%models%", name("models"), "%poison%", name("poison"), "%nodes%", name("nodes"),
	).Replace
	return sql{
		prepare: []string{
			"SELECT pg_advisory_xact_lock(hashtextextended('" + strings.ReplaceAll(schema, "'", "''") + "', 0))",
			of("CREATE SCHEMA IF NOT EXISTS %schema%"),
			of(`CREATE TABLE IF NOT EXISTS %models% (
				id text PRIMARY KEY, shape text NOT NULL, tables text[] NOT NULL, node text,
				position bigint NOT NULL DEFAULT 0, edition bigint NOT NULL DEFAULT 0, purged bigint NOT NULL DEFAULT 0)`),
			of(`CREATE TABLE IF NOT EXISTS %poison% (
				model text NOT NULL, position bigint NOT NULL, event text NOT NULL, type text NOT NULL, version bigint NOT NULL,
				PRIMARY KEY (model, position))`),
			of("CREATE TABLE IF NOT EXISTS %nodes% (id text PRIMARY KEY, until timestamptz NOT NULL)"),
			of("DELETE FROM %nodes% WHERE until < clock_timestamp() - interval '1 hour'"),
		},
		add:      of("INSERT INTO %models% (id, shape, tables) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"),
		shape:    of("SELECT shape FROM %models% WHERE id = $1"),
		ids:      of(`SELECT id FROM %models% ORDER BY id COLLATE "C"`),
		lock:     of("SELECT id, tables, position, edition, m.node <> $2 AND " + alive + " FROM %models% AS m WHERE id = ANY($1) ORDER BY id FOR UPDATE"),
		position: of("SELECT position FROM %models% WHERE id = $1"),
		at:       of("SELECT edition FROM %models% WHERE id = $1 AND position = $2 AND (node IS NULL OR node = $3)"),
		// A batch of statements is undone as one when this fails, as it does by dividing by zero.
		move: of(`WITH moved AS (
			UPDATE %models% SET position = $3, edition = edition + $4
			WHERE id = $1 AND position = $2 AND edition = $5 AND (node IS NULL OR node = $6) RETURNING 1
		) SELECT 1 / count(*) FROM moved`),
		build: of(`WITH moved AS (
			UPDATE %models% SET position = $2, edition = edition + 1 WHERE id = $1 AND (node IS NULL OR node = $3) RETURNING 1
		) SELECT 1 / count(*) FROM moved`),
		asleep:   "SELECT set_config('synchronous_commit', 'off', true)",
		poison:   of("SELECT position, event, type, version FROM %poison% WHERE model = $1 ORDER BY position LIMIT $2"),
		poisoned: of("INSERT INTO %poison% VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"),
		replace: []string{
			of("DELETE FROM %poison% WHERE model = $2 AND $1 <> $2"),
			of("UPDATE %poison% SET model = $2 WHERE model = $1"),
			of("UPDATE %models% SET node = (SELECT node FROM %models% WHERE id = $2) WHERE id = $1"),
			of("DELETE FROM %models% WHERE id = $2 AND $1 <> $2"),
			of("UPDATE %models% SET id = $2 WHERE id = $1"),
		},
		replaced: of("UPDATE %models% SET tables = $2, edition = $3 WHERE id = $1"),
		drop:     []string{of("DELETE FROM %poison% WHERE model = $1"), of("DELETE FROM %models% WHERE id = $1")},
		beat: of(`INSERT INTO %nodes% VALUES ($1, clock_timestamp() + $2::bigint * interval '1 microsecond')
			ON CONFLICT (id) DO UPDATE SET until = excluded.until`),
		purge:  of("SELECT edition, purged FROM %models% WHERE id = $1"),
		purged: of("UPDATE %models% SET purged = $2 WHERE id = $1 AND purged < $2"),
		leave:  of("DELETE FROM %nodes% WHERE id = $1"),
		hold: of(`WITH taken AS (
			UPDATE %models% AS m SET node = CASE $3 WHEN 'leave' THEN NULL ELSE $1 END
			WHERE id = ANY($2) AND CASE $3
				WHEN 'take' THEN node IS DISTINCT FROM $1
				WHEN 'leave' THEN node = $1
				WHEN 'inherit' THEN node IS DISTINCT FROM $1 AND NOT ` + alive + `
				ELSE false END
			RETURNING id, node, position, edition
		) SELECT m.id, coalesce(taken.position, m.position), coalesce(taken.edition, m.edition),
			CASE WHEN taken.id IS NULL THEN m.node ELSE taken.node END IS NOT DISTINCT FROM $1
		FROM %models% AS m LEFT JOIN taken ON taken.id = m.id WHERE m.id = ANY($2)`),
	}
}
