package postgres

import (
	"context"
	"errors"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cleversender/cleversender/adapters/keyring"
)

// keks is where the KEKs are. Whoever writes has the turn, with conn.
type keks interface {
	// read is fs.ErrNotExist when there are none.
	read(ctx context.Context) (*keyring.Epochs, error)
	write(ctx context.Context, conn *pgxpool.Conn, e *keyring.Epochs) error
}

// kekFile is a file that each node sees.
type kekFile struct {
	path string
	root keyring.Root
}

func (f kekFile) read(context.Context) (*keyring.Epochs, error) {
	return keyring.ReadEpochs(f.path, f.root)
}

func (f kekFile) write(ctx context.Context, conn *pgxpool.Conn, e *keyring.Epochs) error {
	if err := conn.Ping(ctx); err != nil { // the turn was lost
		return err
	}
	return e.WriteFile(f.path, f.root)
}

// kekTable is a table with one row, in a schema of its own.
type kekTable struct {
	pool  *pgxpool.Pool
	table string
	root  keyring.Root
}

func (t kekTable) read(ctx context.Context) (*keyring.Epochs, error) {
	var raw []byte
	err := t.pool.QueryRow(ctx, `SELECT content FROM `+t.table).Scan(&raw)
	pg, _ := errors.AsType[*pgconn.PgError](err)
	switch {
	case errors.Is(err, pgx.ErrNoRows), pg != nil && pg.Code == "42P01": // undefined_table
		return nil, fs.ErrNotExist
	case err != nil:
		return nil, err
	}
	return keyring.DecodeEpochs(raw, t.root)
}

// write replaces the table's file, since what is deleted from one stays in it.
func (t kekTable) write(ctx context.Context, conn *pgxpool.Conn, e *keyring.Epochs) error {
	raw, err := e.Encode(t.root)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, do := range []struct {
			query string
			args  []any
		}{
			{`CREATE TABLE IF NOT EXISTS ` + t.table + ` (content bytea NOT NULL)`, nil},
			{`TRUNCATE ` + t.table, nil},
			{`INSERT INTO ` + t.table + ` (content) VALUES ($1)`, []any{raw}},
		} {
			if _, err := tx.Exec(ctx, do.query, do.args...); err != nil {
				return err
			}
		}
		return nil
	})
}
