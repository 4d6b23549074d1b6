package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/cleversender/cleversender/adapters/keyring"
)

//go:embed migrations/*.sql
var migrations embed.FS

// inTurn runs what one node does at a time, on the connection that holds the
// turn: when it is lost, so is what follows on it.
func (s *Store) inTurn(ctx context.Context, do func(*pgxpool.Conn) error) error {
	s.turn.Lock() // who waits in the database has a connection that do may need
	defer s.turn.Unlock()
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, s.place.turn); err != nil {
		return err
	}
	err = do(conn)
	if _, failed := conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, s.place.turn); failed != nil {
		_ = conn.Conn().Close(context.WithoutCancel(ctx)) // gives the turn up as well
	}
	return err
}

// prepare makes the schema what this version needs, and reads the epochs, or
// makes the first one for a keyring that is new.
func (s *Store) prepare(ctx context.Context) error {
	return s.inTurn(ctx, func(conn *pgxpool.Conn) error {
		if err := s.migrate(ctx, conn); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		if s.place.epochs != "" {
			s.keks = kekFile{s.place.epochs, s.root}
		} else {
			s.keks = kekTable{s.pool, pgx.Identifier{s.place.schema + "_epochs", "document"}.Sanitize(), s.root}
			if err := s.makeSchema(ctx, conn, s.place.schema+"_epochs"); err != nil {
				return err
			}
		}
		return s.openEpochs(ctx, conn)
	})
}

func (s *Store) migrate(ctx context.Context, conn *pgxpool.Conn) (err error) {
	if err := s.makeSchema(ctx, conn, s.place.schema); err != nil {
		return err
	}
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(s.pool)
	defer func() { err = errors.Join(err, db.Close()) }()
	up, err := goose.NewProvider(goose.DialectPostgres, db, dir)
	if err != nil {
		return err
	}
	_, err = up.Up(ctx)
	return err
}

// makeSchema needs the right to make one only when it is not there.
func (s *Store) makeSchema(ctx context.Context, conn *pgxpool.Conn, name string) error {
	var missing bool
	if err := conn.QueryRow(ctx, `SELECT to_regnamespace($1) IS NULL`, name).Scan(&missing); err != nil || !missing {
		return err
	}
	_, err := conn.Exec(ctx, `CREATE SCHEMA `+pgx.Identifier{name}.Sanitize())
	return err
}

// openEpochs reads the KEKs. A keyring that is new has no oldest epoch yet.
func (s *Store) openEpochs(ctx context.Context, conn *pgxpool.Conn) error {
	var known bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM epoch)`).Scan(&known); err != nil {
		return err
	}
	e, err := s.keks.read(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist) && known:
		return keyring.ErrEpochsMissing
	case errors.Is(err, fs.ErrNotExist):
		if e, err = keyring.FirstEpoch(); err == nil {
			err = s.keks.write(ctx, conn, e)
		}
	}
	if err == nil && !known {
		_, err = conn.Exec(ctx, `INSERT INTO epoch (oldest) VALUES ($1)`, e.Current())
	}
	if err != nil {
		return err
	}
	s.epochs.Store(e)
	return nil
}
