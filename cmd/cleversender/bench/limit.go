package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the same driver as the log's

	"github.com/cleversender/cleversender/adapters/eventlog"
)

// A limit is what a bare table does with the same bytes, where the log is: no
// index but the position's, no encoding, durable transactions of 500 rows. On
// SQLite it is one prepared statement, on PostgreSQL a COPY.
type limit struct {
	rows           int
	insert, scan   time.Duration
	insertedPerSec float64
	scannedPerSec  float64
}

// raw is a bare table.
type raw interface {
	insert(ctx context.Context, page eventlog.Page) error
	scan(ctx context.Context) error
	close() error
}

const limitBatch = 500

func (b *bench) raw(ctx context.Context) (raw, error) {
	if strings.HasPrefix(b.Stores.Log, "postgres") {
		return openRawPostgres(ctx, b.Stores.Log)
	}
	return openRawSQLite(ctx, filepath.Join(b.Dir, "limit.db"))
}

// limit copies up to Size events of the log into a bare table and reads them
// back in order, and times only the table's part.
func (b *bench) limit(ctx context.Context) (l limit, err error) {
	table, err := b.raw(ctx)
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, table.close()) }()
	head, err := b.engine.Log.Head(ctx)
	if err != nil {
		return l, err
	}
	for page, err := range b.engine.Log.Follow(ctx, 0, nil, limitBatch) {
		if err != nil {
			return l, err
		}
		start := time.Now()
		if err := table.insert(ctx, page); err != nil {
			return l, fmt.Errorf("raw insert: %w", err)
		}
		l.insert += time.Since(start)
		if l.rows += len(page.Events); page.Next >= head || l.rows >= b.Size {
			break
		}
	}
	start := time.Now()
	if err := table.scan(ctx); err != nil {
		return l, fmt.Errorf("raw scan: %w", err)
	}
	l.scan = time.Since(start)
	l.insertedPerSec = float64(l.rows) / l.insert.Seconds()
	l.scannedPerSec = float64(l.rows) / l.scan.Seconds()
	return l, nil
}

type rawSQLite struct{ *sql.DB }

func openRawSQLite(ctx context.Context, path string) (rawSQLite, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)")
	if err != nil {
		return rawSQLite{}, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, `CREATE TABLE raw (pos INTEGER PRIMARY KEY, stream TEXT, type TEXT, id BLOB, meta BLOB, data BLOB)`)
	return rawSQLite{db}, err
}

func (db rawSQLite) close() error { return db.Close() }

func (db rawSQLite) insert(ctx context.Context, page eventlog.Page) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	insert, err := tx.PrepareContext(ctx, `INSERT INTO raw VALUES (?,?,?,?,?,?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, e := range page.Events {
		meta := append(e.Meta.Account[:], e.Meta.Subject[:]...)
		if _, err := insert.ExecContext(ctx, int64(e.Position), e.Stream, e.Type, e.ID[:], meta, e.Data); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (db rawSQLite) scan(ctx context.Context) error {
	rows, err := db.QueryContext(ctx, `SELECT pos, stream, type, id, meta, data FROM raw ORDER BY pos`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var pos int64
	var stream, typ string
	var id, meta, data sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&pos, &stream, &typ, &id, &meta, &data); err != nil {
			return err
		}
	}
	return rows.Err()
}
