package bench

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"github.com/cleversender/cleversender/adapters/recipient"
)

// plainHits is what hits are measured against: one row in one durable
// transaction of SQLite for each, with nothing about the person but a number.
type plainHits struct {
	db     *sql.DB
	insert *sql.Stmt
}

const plainRows = 5000

func openPlainHits(ctx context.Context, dir string) (*plainHits, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "one.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, `CREATE TABLE hit (id INTEGER PRIMARY KEY, campaign INTEGER, person INTEGER, at INTEGER)`); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	insert, err := db.PrepareContext(ctx, `INSERT INTO hit (campaign, person, at) VALUES (?,?,?)`)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &plainHits{db, insert}, nil
}

// ServeHTTP writes the row, then answers.
func (p *plainHits) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := p.write(r.Context(), len(r.URL.Path)); err != nil {
		http.Error(w, "not written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Length", "0")
}

func (p *plainHits) write(ctx context.Context, person int) error {
	_, err := p.insert.ExecContext(ctx, 1, person, time.Now().UnixMicro())
	return err
}

// requests is how many a second it answers over HTTP, asked as the engine is.
func (p *plainHits) requests() (float64, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	server := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(ln) }() // ends with Close
	defer server.Close()
	all := barrage{fields: "Host: 127.0.0.1\r\n\r\n"}
	for i := range plainRows {
		all.add(http.StatusOK, recipient.PixelPath, strconv.Itoa(i))
	}
	start := time.Now()
	if _, err := hammer(ln.Addr().String(), connections, &all); err != nil {
		return 0, err
	}
	return plainRows / time.Since(start).Seconds(), nil
}

// inserts is how many a second it writes when nobody asks over HTTP.
func (p *plainHits) inserts(ctx context.Context) (float64, error) {
	start := time.Now()
	for i := range plainRows {
		if err := p.write(ctx, i); err != nil {
			return 0, err
		}
	}
	return plainRows / time.Since(start).Seconds(), nil
}

// measure is both.
func (p *plainHits) measure(ctx context.Context) (requests, inserts float64, err error) {
	if inserts, err = p.inserts(ctx); err != nil {
		return 0, 0, err
	}
	requests, err = p.requests()
	return requests, inserts, err
}

func (p *plainHits) close() error { return errors.Join(p.insert.Close(), p.db.Close()) }
