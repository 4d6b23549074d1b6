package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cleversender/cleversender/adapters/keyring"
)

// patience is how long a database that cannot be reached is waited for.
const patience = 30 * time.Second

// again tries until it works, fails for good, or patience is at its end. What
// it tries changes nothing when done twice.
func (s *Store) again(ctx context.Context, try func() error) error {
	for began, pause := time.Now(), 20*time.Millisecond; ; pause = min(2*pause, time.Second) {
		select {
		case <-s.closed:
			return keyring.ErrClosed
		default:
		}
		err := try()
		if err == nil || !passes(err) || ctx.Err() != nil || time.Since(began) > patience {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.closed:
			return keyring.ErrClosed
		case <-time.After(pause):
		}
	}
}

// passes reports whether an error is of the connection, or of two transactions
// in each other's way, rather than of what was asked.
func passes(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok { // codes: PostgreSQL, appendix A
		switch pg.Code {
		case "25006", // read only: not the primary any more
			"40001", "40P01", // serialisation failure, deadlock
			"53300",                   // too many connections
			"57P01", "57P02", "57P03": // shut down, crashed, starting
			return true
		}
		return strings.HasPrefix(pg.Code, "08") // connection exceptions
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[net.Error](err)
	return connecting || network || errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// exec runs one statement.
func (s *Store) exec(ctx context.Context, query string, args ...any) error {
	return s.again(ctx, func() error {
		_, err := s.pool.Exec(ctx, query, args...)
		return err
	})
}

// query calls row for each row that a statement returns. begin is called before
// each try.
func (s *Store) query(ctx context.Context, begin func(), row func(pgx.Rows) error, query string, args ...any) error {
	return s.again(ctx, func() error {
		begin()
		rows, err := s.pool.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := row(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// alone runs statements in one transaction, at the gate alone: nothing is added
// meanwhile. They are sent together, so that a node which stops leaves it.
func (s *Store) alone(ctx context.Context, queue func(*pgx.Batch)) error {
	return s.again(ctx, func() error {
		var b pgx.Batch
		b.Queue(`SELECT pg_advisory_xact_lock($1)`, s.place.gate)
		queue(&b)
		return s.pool.SendBatch(ctx, &b).Close()
	})
}
