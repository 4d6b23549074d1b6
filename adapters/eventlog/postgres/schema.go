package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/cleversender/cleversender/adapters/eventlog/group"
)

//go:embed schema/*.sql
var migrations embed.FS

var errEncoding = errors.New("the database's encoding must be UTF8")

// migrate brings the schema up to this version; of several nodes that start
// together one does it, the others wait.
func migrate(ctx context.Context, at *address) (err error) {
	conn, err := pgx.ConnectConfig(ctx, at.base)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }() // which lets go of the lock
	if conn.PgConn().ParameterStatus("server_encoding") != "UTF8" {
		return errEncoding
	}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtextextended($1, 0))", "cleversender log "+at.schema); err != nil {
		return fmt.Errorf("lock the schema: %w", err)
	}
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT to_regnamespace($1) IS NOT NULL", at.schema).Scan(&exists); err != nil {
		return fmt.Errorf("look for the schema: %w", err)
	}
	if !exists { // asked before, since it takes a right that a log otherwise needs not
		if _, err := conn.Exec(ctx, "CREATE SCHEMA "+at.schema); err != nil {
			return fmt.Errorf("create the schema: %w", err)
		}
	}
	db := stdlib.OpenDB(*at.base)
	defer func() { _ = db.Close() }()
	return group.Migrate(ctx, db, goose.DialectPostgres, migrations)
}
