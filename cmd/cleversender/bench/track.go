package bench

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cleversender/cleversender/adapters/recipient"
	"github.com/cleversender/cleversender/adapters/tracking"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
)

const connections = 32

// benchTrack fetches the pixels of Size recipients by real HTTP over loopback,
// from 32 connections; each is durable, with IP and client sealed, before its
// reply. The client's work is in the figures too: it is the same process.
func benchTrack(ctx context.Context, b *bench) ([]Report, error) {
	d, err := b.people(ctx)
	if err != nil {
		return nil, err
	}
	d.campaign = engine.NewID()
	if err := d.send(ctx); err != nil {
		return nil, err
	}
	if err := b.engine.Settled(ctx); err != nil {
		return nil, err
	}
	url, stop, err := b.listen()
	if err != nil {
		return nil, err
	}
	defer stop()
	paths := make([]string, len(d.people))
	for i, p := range d.people {
		paths[i] = url + recipient.PixelPath + b.engine.Signer.Mint(tracking.Token{
			Kind: tracking.Open, Campaign: d.campaign, Ordinal: i, Person: p, Account: b.account,
		}) + recipient.PixelSuffix
	}
	before, err := b.engine.Journal.Head(ctx)
	if err != nil {
		return nil, err
	}
	m, err := b.meter()
	if err != nil {
		return nil, err
	}
	took, err := fetch(ctx, paths)
	if err != nil {
		return nil, err
	}
	r := m.report("track", len(paths))
	head, err := b.engine.Journal.Head(ctx)
	if err != nil {
		return nil, err
	}
	if int(head-before) < len(paths) {
		return nil, fmt.Errorf("%d hits, %d events: some are lost", len(paths), head-before)
	}
	limit, err := oneRowEach(ctx, b.Dir)
	if err != nil {
		return nil, err
	}
	r.Against(limit)
	slices.Sort(took)
	r.Extra = map[string]any{"connections": connections, "p50_ms": ms(took[len(took)/2]), "p99_ms": ms(took[len(took)*99/100])}
	return []Report{r}, nil
}

// listen serves the engine on loopback.
func (b *bench) listen() (url string, stop func(), err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: b.engine.Handler(engine.Web{}), ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go func() { _ = server.Serve(ln) }() // ends with Close
	return "http://" + ln.Addr().String(), func() { _ = server.Close() }, nil
}

// fetch gets every URL once, and says how long each took.
func fetch(ctx context.Context, urls []string) ([]time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}}
	took := make([]time.Duration, len(urls))
	var next atomic.Int64
	var wg sync.WaitGroup
	failed := make(chan error, connections)
	for range connections {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(urls); i = int(next.Add(1)) - 1 {
				start := time.Now()
				if err := get(ctx, client, urls[i]); err != nil {
					failed <- err
					return
				}
				took[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return nil, err
	default:
		return took, nil
	}
}

func get(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the pixel answered %s", resp.Status)
	}
	return nil
}

// oneRowEach is how many single-row transactions raw SQLite does in a second.
func oneRowEach(ctx context.Context, dir string) (float64, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "one.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, `CREATE TABLE hit (id INTEGER PRIMARY KEY, campaign INTEGER, person INTEGER, at INTEGER)`); err != nil {
		return 0, err
	}
	const rows = 5000
	start := time.Now()
	for i := range rows {
		if _, err := db.ExecContext(ctx, `INSERT INTO hit (campaign, person, at) VALUES (?,?,?)`, 1, i, start.UnixMicro()); err != nil {
			return 0, err
		}
	}
	return rows / time.Since(start).Seconds(), nil
}
