package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/cleversender/cleversender/adapters/eventlog/group"
	"github.com/cleversender/cleversender/domain/event"
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
		for requests := l.queue.Next(); requests != nil; requests = l.queue.Next() {
			w.group(requests)
		}
		return nil
	})
	if err != nil {
		ready <- err
	}
}

// group writes requests together.
func (w *writer) group(requests []*group.Request[envelopes]) {
	if err := w.commit(requests); err != nil {
		w.stale = true
		for _, r := range requests {
			r.Fail(fmt.Errorf("write events: %w", err))
		}
	}
	for _, r := range requests {
		r.Answer()
	}
}

// commit writes a group. A fault undoes all of it.
func (w *writer) commit(requests []*group.Request[envelopes]) error {
	began := time.Now()
	if w.stale {
		if err := w.resync(); err != nil {
			return err
		}
	}
	p, err := w.transact(requests, true)
	if isUnique(err) { // a stream that was said to be new is not
		p, err = w.transact(requests, false)
	}
	if err != nil {
		return err
	}
	w.head = p.Head
	if p.Events > 0 {
		w.log.tail.Push(p.Stored())
	}
	w.log.observe(p.Commit(began))
	return nil
}

func (w *writer) transact(requests []*group.Request[envelopes], trust bool) (_ *group.Plan[envelopes], err error) {
	if err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
		return nil, err
	}
	kinds := w.log.kinds.Load()
	defer func() {
		if err != nil {
			w.log.kinds.Store(kinds)
			err = errors.Join(err, w.conn.exec("ROLLBACK"))
		}
	}()
	p := group.NewPlan[envelopes](w, w.head, trust)
	for _, r := range requests {
		for _, it := range r.Items {
			if err := p.Add(it); err != nil {
				return nil, err
			}
		}
	}
	if err := w.insert(p); err != nil {
		return nil, err
	}
	return p, w.conn.exec("COMMIT")
}

func (w *writer) insert(p *group.Plan[envelopes]) error {
	kinds, err := w.intern(p) // first: from here on nothing but an insert fails
	if err != nil {
		return err
	}
	for i := range p.Runs {
		r := &p.Runs[i]
		if err := w.runs.add(r.Item.Append.Stream, int64(r.Revision()), int64(r.Position), int64(len(r.Events()))); err != nil {
			return err
		}
	}
	if err := w.runs.flush(); err != nil {
		return err
	}
	for i := range p.Runs {
		r := &p.Runs[i]
		events, envelopes := r.Events(), r.Item.Encoded[r.Known:]
		for k := range events {
			e := &events[k]
			if err := w.events.add(int64(r.Position)+int64(k), kinds[group.Kind{Name: e.Type, Version: e.Version}], envelopes[k], e.Data); err != nil {
				return err
			}
		}
	}
	return w.events.flush()
}

// intern makes a row for each kind that is new.
func (w *writer) intern(p *group.Plan[envelopes]) (map[group.Kind]int64, error) {
	set := w.log.kinds.Load()
	for i := range p.Runs {
		events := p.Runs[i].Events()
		for k := range events {
			e := &events[k]
			it := group.Kind{Name: e.Type, Version: e.Version}
			if _, known := set.IDs[it]; known {
				continue
			}
			set = set.With(it)
			if err := w.conn.exec("INSERT INTO kinds (id, name, version) VALUES (?, ?, ?)", set.IDs[it], it.Name, int64(it.Version)); err != nil {
				return nil, err
			}
		}
	}
	// Before the commit, so that whoever reads an event finds its kind.
	w.log.kinds.Store(set)
	return set.IDs, nil
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
	set := group.NewKindset()
	err = w.conn.query("SELECT id, name, version FROM kinds", nil, func(row []driver.Value) error {
		set.Add(row[0].(int64), group.Kind{Name: row[1].(string), Version: int(row[2].(int64))})
		return nil
	})
	if err != nil {
		return err
	}
	w.log.kinds.Store(set)
	w.log.tail.Restart(w.head) // it is ahead when a commit failed, and was done all the same
	w.stale = false
	return nil
}

// Length implements group.Store.
func (w *writer) Length(stream string) (n uint64, err error) {
	err = w.conn.query("SELECT revision + length - 1 FROM runs WHERE stream = ? ORDER BY revision DESC LIMIT 1",
		[]driver.Value{stream}, func(row []driver.Value) error {
			n = uint64(row[0].(int64))
			return nil
		})
	return n, err
}

// Held implements group.Store.
func (w *writer) Held(stream string, from, to uint64) (places []group.Place, err error) {
	err = w.conn.query("SELECT e.position, e.envelope "+ofStream, []driver.Value{stream, int64(from), int64(to)},
		func(row []driver.Value) error {
			var e event.Stored
			if err := readEnvelope(row[1].([]byte), &e, stream); err != nil {
				return err
			}
			places = append(places, group.Place{ID: e.ID, Position: event.Position(row[0].(int64))})
			return nil
		})
	return places, err
}

func isUnique(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}
