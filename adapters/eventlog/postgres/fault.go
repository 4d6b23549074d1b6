package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cleversender/cleversender/adapters/eventlog"
)

const (
	attemptTime = 30 * time.Second // for one transaction, or page
	firstWait   = 5 * time.Millisecond
	maxWait     = time.Second
)

const (
	lockTimeout     = "55P03"
	uniqueViolation = "23505"
)

// passing is the errors of a server that is as good as new a moment later, or
// whose place another one takes.
var passing = []string{
	lockTimeout,
	"25006", // read-only: it is a standby now
	"53300", // too many connections
	"57014", // a statement was cancelled
	"57P01", // the connection was ended, or the server is ending
	"57P02", // it has crashed
	"57P03", // it is starting
	"57P05", // the connection was idle for too long
}

// passes reports whether what failed on conn may succeed when it is tried
// again. conn is nil when there was none.
func passes(conn *pgx.Conn, err error) bool {
	if conn != nil && conn.IsClosed() || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		class := server.Code[:min(2, len(server.Code))]
		return slices.Contains(passing, server.Code) || class == "08" || class == "40"
	}
	var connect *pgconn.ConnectError
	return errors.As(err, &connect)
}

func hasCode(err error, code string) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && server.Code == code
}

// read lends a connection to f, and again another one while what fails may
// pass, until ctx ends or the log is closed.
func (l *Log) read(ctx context.Context, f func(context.Context, *pgx.Conn) error) error {
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		select {
		case <-l.closing: // not left to chance
			return eventlog.ErrClosed
		default:
		}
		conn, err := l.lend(ctx, f)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !passes(conn, err):
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		case <-l.closing:
			return eventlog.ErrClosed
		}
	}
}

func (l *Log) lend(ctx context.Context, f func(context.Context, *pgx.Conn) error) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	lease, err := l.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer lease.Release()
	return lease.Conn(), f(ctx, lease.Conn())
}
