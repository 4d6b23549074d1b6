package bench

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the same driver as the log's

	"github.com/cleversender/cleversender/adapters/eventlog"
)

// A limit is what raw SQLite does with the same bytes: one table, no index, no
// encoding, one prepared statement, transactions of 500 rows, WAL, FULL.
type limit struct {
	rows           int
	insert, scan   time.Duration
	insertedPerSec float64
	scannedPerSec  float64
}

const limitBatch = 500

// measureLimit copies up to max events of a log into a raw table and reads
// them back in order, and times only SQLite's part.
func measureLimit(ctx context.Context, log eventlog.Log, dir string, max int) (limit, error) {
	var l limit
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "limit.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)")
	if err != nil {
		return l, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, `CREATE TABLE raw (pos INTEGER PRIMARY KEY, stream TEXT, type TEXT, id BLOB, meta BLOB, data BLOB)`); err != nil {
		return l, err
	}
	head, err := log.Head(ctx)
	if err != nil {
		return l, err
	}
	for page, err := range log.Follow(ctx, 0, nil, limitBatch) {
		if err != nil {
			return l, err
		}
		start := time.Now()
		if err := insertRaw(ctx, db, page); err != nil {
			return l, fmt.Errorf("raw insert: %w", err)
		}
		l.insert += time.Since(start)
		if l.rows += len(page.Events); page.Next >= head || l.rows >= max {
			break
		}
	}
	if l.scan, err = scanRaw(ctx, db); err != nil {
		return l, fmt.Errorf("raw scan: %w", err)
	}
	l.insertedPerSec = float64(l.rows) / l.insert.Seconds()
	l.scannedPerSec = float64(l.rows) / l.scan.Seconds()
	return l, nil
}

func insertRaw(ctx context.Context, db *sql.DB, page eventlog.Page) error {
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

func scanRaw(ctx context.Context, db *sql.DB) (time.Duration, error) {
	start := time.Now()
	rows, err := db.QueryContext(ctx, `SELECT pos, stream, type, id, meta, data FROM raw ORDER BY pos`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var pos int64
	var stream, typ string
	var id, meta, data sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&pos, &stream, &typ, &id, &meta, &data); err != nil {
			return 0, err
		}
	}
	return time.Since(start), rows.Err()
}
