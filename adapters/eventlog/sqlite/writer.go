package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
)

// What one transaction takes on before it commits.
const (
	groupEvents = 4096
	groupBytes  = 8 << 20
)

// writer is the goroutine that writes, with its connection.
type writer struct {
	log          *Log
	conn         *conn
	runs, events *inserter
	head         event.Position
	// stale: a transaction failed, so what the database holds has to be read anew.
	stale bool
}

// write runs the writer until the queue is closed. It says on ready whether it could start.
func (l *Log) write(ready chan<- error) {
	defer close(l.stopped)
	err := withConn(context.Background(), l.writing, func(c *conn) error {
		w := &writer{
			log: l, conn: c,
			runs:   newInserter(c, "runs (stream, revision, position, length)", 4),
			events: newInserter(c, "events (position, kind, envelope, data)", 4),
		}
		if err := w.resync(); err != nil {
			return err
		}
		ready <- nil
		for first := range l.queue {
			w.group(first)
		}
		return nil
	})
	if err != nil {
		ready <- err
	}
}

// group writes a request together with those that wait behind it.
func (w *writer) group(first *request) {
	group, events, bytes := []*request{first}, first.events, first.bytes
	for events < groupEvents && bytes < groupBytes {
		select {
		case r, ok := <-w.log.queue:
			if ok {
				group, events, bytes = append(group, r), events+r.events, bytes+r.bytes
				continue
			}
		default:
		}
		break
	}
	if err := w.commit(group); err != nil {
		w.stale = true
		for _, r := range group {
			for i := range r.errs {
				if r.results[i] = (eventlog.Result{}); r.envelopes[i] != nil {
					r.errs[i] = fmt.Errorf("write events: %w", err)
				}
			}
		}
	}
	for _, r := range group {
		close(r.done)
	}
}

// commit writes a group. A fault undoes all of it.
func (w *writer) commit(group []*request) error {
	began := time.Now()
	if w.stale {
		if err := w.resync(); err != nil {
			return err
		}
	}
	p, err := w.transact(group, true)
	if isUnique(err) { // a stream that was said to be new is not
		p, err = w.transact(group, false)
	}
	if err != nil {
		return err
	}
	w.head = p.head
	if p.events > 0 {
		w.log.tail.push(p.stored())
	}
	w.log.observe(Commit{len(p.runs), p.events, p.refused, p.bytes, time.Since(began)})
	return nil
}

func (w *writer) transact(group []*request, trust bool) (_ *plan, err error) {
	if err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
		return nil, err
	}
	kinds := w.log.kinds.load()
	defer func() {
		if err != nil {
			w.log.kinds.now.Store(kinds)
			err = errors.Join(err, w.conn.exec("ROLLBACK"))
		}
	}()
	p := newPlan(w, w.head, trust)
	for _, r := range group {
		for i := range r.appends {
			if r.envelopes[i] == nil {
				continue // refused before it was queued
			}
			var fault error
			if r.results[i], r.errs[i], fault = p.add(&r.appends[i], r.envelopes[i]); fault != nil {
				return nil, fault
			}
		}
	}
	if err := w.insert(p); err != nil {
		return nil, err
	}
	return p, w.conn.exec("COMMIT")
}

func (w *writer) insert(p *plan) error {
	kinds, err := w.intern(p) // first: from here on nothing but an insert fails
	if err != nil {
		return err
	}
	for i := range p.runs {
		r := &p.runs[i]
		if err := w.runs.add(r.stream, int64(r.revision), int64(r.position), int64(len(r.events))); err != nil {
			return err
		}
	}
	if err := w.runs.flush(); err != nil {
		return err
	}
	for i := range p.runs {
		r := &p.runs[i]
		for k := range r.events {
			e := &r.events[k]
			p.bytes += len(e.Data)
			if err := w.events.add(int64(r.position)+int64(k), kinds[kind{e.Type, e.Version}], r.envelopes[k], e.Data); err != nil {
				return err
			}
		}
	}
	return w.events.flush()
}

// intern makes a row for each kind that is new.
func (w *writer) intern(p *plan) (map[kind]int64, error) {
	set := w.log.kinds.load()
	for i := range p.runs {
		for k := range p.runs[i].events {
			e := &p.runs[i].events[k]
			it := kind{e.Type, e.Version}
			if _, known := set.ids[it]; known {
				continue
			}
			set = set.with(it)
			if err := w.conn.exec("INSERT INTO kinds (id, name, version) VALUES (?, ?, ?)", set.ids[it], it.name, int64(it.version)); err != nil {
				return nil, err
			}
		}
	}
	// Before the commit, so that whoever reads an event finds its kind.
	w.log.kinds.now.Store(set)
	return set.ids, nil
}

// resync reads what is kept in memory of the database.
func (w *writer) resync() error {
	err := w.conn.query("SELECT ifnull(max(position), 0) FROM events", nil, func(row []driver.Value) error {
		w.head = event.Position(row[0].(int64))
		return nil
	})
	if err != nil {
		return err
	}
	set := &kindset{map[kind]int64{}, map[int64]kind{}}
	err = w.conn.query("SELECT id, name, version FROM kinds", nil, func(row []driver.Value) error {
		id, k := row[0].(int64), kind{row[1].(string), int(row[2].(int64))}
		set.ids[k], set.kinds[id] = id, k
		return nil
	})
	if err != nil {
		return err
	}
	w.log.kinds.now.Store(set)
	if w.log.tail.position() != w.head { // a commit failed, and was done all the same
		w.log.tail.restart(w.head)
	}
	w.stale = false
	return nil
}

// length implements store.
func (w *writer) length(stream string) (n uint64, err error) {
	err = w.conn.query("SELECT revision + length - 1 FROM runs WHERE stream = ? ORDER BY revision DESC LIMIT 1",
		[]driver.Value{stream}, func(row []driver.Value) error {
			n = uint64(row[0].(int64))
			return nil
		})
	return n, err
}

// held implements store.
func (w *writer) held(stream string, from, to uint64) (places []place, err error) {
	err = w.conn.query("SELECT e.position, e.envelope "+ofStream, []driver.Value{stream, int64(from), int64(to)},
		func(row []driver.Value) error {
			var e event.Stored
			if err := readEnvelope(row[1].([]byte), &e, stream); err != nil {
				return err
			}
			places = append(places, place{e.ID, event.Position(row[0].(int64))})
			return nil
		})
	return places, err
}

func isUnique(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}
