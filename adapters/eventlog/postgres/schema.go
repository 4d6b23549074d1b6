package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/cleversender/cleversender/domain"
)

//go:embed schema/*.sql
var migrations embed.FS

// ErrNewerSchema: the log was made by a newer version of the software.
var ErrNewerSchema = domain.Refuse("eventlog_newer",
	"the event log was made by a newer version of the software; use that version, or restore a backup of before")

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
	return up(ctx, at.base)
}

func up(ctx context.Context, config *pgx.ConnConfig) error {
	files, err := fs.Sub(migrations, "schema")
	if err != nil {
		return err
	}
	db := stdlib.OpenDB(*config)
	defer func() { _ = db.Close() }()
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("schema version: %w", err)
	}
	if current > target {
		return ErrNewerSchema
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate schema: %w", err)
	}
	return nil
}
