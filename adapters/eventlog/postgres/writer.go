package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/eventlog/group"
	"github.com/cleversender/cleversender/domain/event"
)

// ErrRewound: the log ends before what this process has seen of it. A standby
// took over to which the primary's last commits had not come.
var ErrRewound = errors.New("the event log has lost events that were committed: a standby took over that did not have them")

// request is what one caller waits for.
type request = group.Request[rows]

// writer is the goroutine that writes, with its connection.
type writer struct {
	log  *Log
	conn *pgx.Conn
	last last
}

// run writes until the queue is closed.
func (w *writer) run() {
	defer close(w.log.stopped)
	for requests := w.log.queue.Next(); requests != nil; requests = w.log.queue.Next() {
		w.group(requests)
	}
	w.hangUp()
}

// group writes requests together. What may pass is tried again as long as
// somebody waits for it: the ids of the events tell what has been written.
func (w *writer) group(requests []*request) {
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		if requests = waiting(requests); len(requests) == 0 {
			return
		}
		err := w.try(requests)
		if err == nil || !passes(w.conn, err) || w.log.queue.Closed() {
			for _, r := range requests {
				if err != nil {
					r.Fail(fmt.Errorf("write events: %w", err))
				}
				r.Answer()
			}
			return
		}
		time.Sleep(wait)
	}
}

// waiting lets go of the requests for which nobody waits any more.
func waiting(requests []*request) (still []*request) {
	for _, r := range requests {
		if err := r.Err(); err != nil {
			r.Fail(err)
			r.Answer()
		} else {
			still = append(still, r)
		}
	}
	return still
}

func (w *writer) try(requests []*request) error {
	ctx, cancel := context.WithTimeout(context.Background(), attemptTime)
	defer cancel()
	if w.conn == nil || w.conn.IsClosed() {
		w.conn = nil
		conn, err := pgx.ConnectConfig(ctx, w.log.at.writer())
		if err != nil {
			return err
		}
		w.conn = conn
	}
	var items []*group.Item[rows]
	for _, r := range requests {
		items = append(items, r.Items...)
	}
	began := time.Now()
	p, err := w.transact(ctx, items, true)
	if hasCode(err, uniqueViolation) { // a stream that was said to be new is not
		p, err = w.transact(ctx, items, false)
	}
	if hasCode(err, lockTimeout) {
		err = errors.Join(err, w.evict(ctx))
	}
	if err != nil {
		return err
	}
	if p.Events > 0 && !w.log.tail.Push(p.Stored()) { // others wrote before
		w.log.hint(p.Head)
	}
	w.log.observe(p.Commit(began))
	return nil
}

// transact writes what of these appends is to be written. When nothing has to
// be asked for that, it is one round trip, else two.
func (w *writer) transact(ctx context.Context, items []*group.Item[rows], trust bool) (*group.Plan[rows], error) {
	names := streams(items, trust)
	if s := w.last.store(names, items); s != nil {
		switch p, err := plan(items, w.last.head, s, trust); {
		case err != nil:
			return nil, err
		case p.Events > 0: // else the log itself is to say so
			if err = w.commit(ctx, p, "BEGIN; "+advanceFrom(w.last.head, p.Head)); err == nil {
				w.last.wrote(p, w.last.head, s)
				return p, nil
			}
			w.last.forget()
			w.rollback(ctx)
			if !hasCode(err, overtaken) {
				return nil, err
			}
		}
	}
	p, err := w.ask(ctx, items, names, trust)
	if err != nil {
		w.last.forget()
		w.rollback(ctx)
	}
	return p, err
}

// ask writes appends under the lock of the log's head.
func (w *writer) ask(ctx context.Context, items []*group.Item[rows], names []string, trust bool) (*group.Plan[rows], error) {
	head, s, err := begin(ctx, w.conn, names)
	if err != nil {
		return nil, err
	}
	if head < w.log.tail.Position() {
		return nil, ErrRewound
	}
	if err := s.hold(ctx, w.conn, items); err != nil {
		return nil, err
	}
	p, err := plan(items, head, s, trust)
	if err != nil {
		return nil, err
	}
	if p.Events == 0 {
		w.rollback(ctx)
		return p, nil
	}
	if err := w.commit(ctx, p, fmt.Sprintf("UPDATE log_head SET pos = %d", p.Head)); err != nil {
		return nil, err
	}
	w.last.wrote(p, head, s)
	return p, nil
}

func plan(items []*group.Item[rows], head event.Position, s *store, trust bool) (*group.Plan[rows], error) {
	p := group.NewPlan[rows](s, head, trust)
	for _, it := range items {
		if err := p.Add(it); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// overtaken is the error of advanceFrom: the text is no number.
const overtaken = "22P02"

// advanceFrom moves the end of the log on if it is where this writer left it.
func advanceFrom(from, to event.Position) string {
	return fmt.Sprintf("UPDATE log_head SET pos = CASE pos WHEN %d THEN %d ELSE ('overtaken by another writer at ' || pos)::bigint END", from, to)
}

// commit writes a plan, all of it in one round trip. The server reads the rows
// when it comes to COPY, and goes on when they end.
func (w *writer) commit(ctx context.Context, p *group.Plan[rows], advance string) error {
	s := newStream(p)
	defer s.end()
	_, err := w.conn.PgConn().CopyFrom(ctx, s, fmt.Sprintf(
		"%s; NOTIFY %s, '%d'; COPY events (%s) FROM STDIN (FORMAT binary); COMMIT",
		advance, w.log.at.schema, p.Head, copied))
	return err
}

// rollback ends the transaction; if it cannot, the connection.
func (w *writer) rollback(ctx context.Context) {
	if _, err := w.conn.Exec(ctx, "ROLLBACK"); err != nil {
		w.hangUp()
	}
}

func (w *writer) hangUp() {
	if w.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = w.conn.Close(ctx)
}

// evict ends writers that keep the lock and say nothing: the process was
// stopped, or its machine is gone. What such a one had begun is rolled back.
func (w *writer) evict(ctx context.Context) error {
	_, err := w.conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = current_setting('application_name')
		AND pid <> pg_backend_pid() AND wait_event = 'ClientRead' AND xact_start < clock_timestamp() - make_interval(secs => $1)`,
		lockSeconds)
	return err
}

// streams is whose length a plan asks for.
func streams(items []*group.Item[rows], trust bool) []string {
	var names []string
	asked := make(map[string]bool, len(items))
	for _, it := range items {
		if name := it.Append.Stream; !asked[name] && (it.Append.Expect > 0 || !trust) {
			asked[name], names = true, append(names, name)
		}
	}
	return names
}
