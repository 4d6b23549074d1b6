// Package postgres keeps read models in one schema of a PostgreSQL database,
// which several nodes share.
//
// A model is a row of models, which holds its position, and a table for each
// of its projection's, named by both: campaign_report_v3_reports. Rows and
// position change in one transaction, which is refused when the position is
// not the one that the rows were folded from: whatever two nodes do at once,
// each event counts once.
//
// A node says every second that it lives. It folds the models that it holds;
// once it has been silent for three seconds, another takes them over.
package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/projections"
)

// Store implements readmodel.Shared in a schema.
type Store struct {
	pool    *pgxpool.Pool
	schema  string
	rewrite int64 // bytes
	keep    int   // bytes
	sql     sql
	node    string
	stop    context.CancelFunc
	beaten  chan struct{} // closed when no beat follows
}

const (
	defaultSchema = "cleversender_models"
	defaultConns  = 16
)

// settings of every connection: every question is a look-up or a scan in key
// order, so there is one good plan, whatever the statistics say.
var settings = map[string]string{
	"application_name": "cleversender read models",
	"enable_seqscan":   "off", "enable_hashjoin": "off", "enable_mergejoin": "off", "enable_bitmapscan": "off", "jit": "off",
}

// New opens the schema that url names by ?schema=, and makes it if need be.
// ?rewrite_mb= is how large a table may be to be written anew by a purge. The
// url may hold whatever pgx takes as well, pool_max_conns included (16).
func New(ctx context.Context, url string) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read models: %w", err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = defaultConns
	}
	params := config.ConnConfig.RuntimeParams
	s := &Store{schema: defaultSchema, node: rand.Text(), keep: defaultKeep, beaten: make(chan struct{})}
	if name := params["schema"]; name != "" {
		s.schema = name
	}
	megabytes := uint64(defaultRewrite)
	if text := params["rewrite_mb"]; text != "" {
		if megabytes, err = strconv.ParseUint(text, 10, 32); err != nil {
			return nil, fmt.Errorf("read models: rewrite_mb: %w", err)
		}
	}
	s.rewrite = int64(megabytes) << 20
	delete(params, "schema")
	delete(params, "rewrite_mb")
	for k, v := range settings {
		if _, given := params[k]; !given {
			params[k] = v
		}
	}
	s.sql = sqlOf(s.schema)
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("read models: %w", err)
	}
	if err := s.prepare(ctx); err != nil {
		s.pool.Close()
		return nil, fmt.Errorf("read models: %w", err)
	}
	return s, nil
}

// prepare makes what is not there, one node at a time, and says that this one lives.
func (s *Store) prepare(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		for _, text := range s.sql.prepare {
			if _, err := tx.Exec(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = s.beat(ctx)
	}
	if err != nil {
		return err
	}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	go s.live(ctx)
	return nil
}

// Close lets others take over at once. Every model is closed.
func (s *Store) Close() error {
	s.stop()
	<-s.beaten
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err := s.pool.Exec(ctx, s.sql.leave, s.node)
	s.pool.Close()
	return err
}

// Open implements readmodel.Store.
func (s *Store) Open(ctx context.Context, id string, tables []*projections.Table) (readmodel.Model, error) {
	return s.open(ctx, id, tables)
}

func (s *Store) open(ctx context.Context, id string, tables []*projections.Table) (*model, error) {
	m := newModel(s, id, tables)
	all := make([]string, len(tables))
	for i, t := range tables {
		if all[i] = bare(id, t); len(all[i]) > maxName {
			return nil, fmt.Errorf("model %s: a table called %s: more than %d letters", id, all[i], maxName)
		}
	}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		shape := readmodel.Shape(tables)
		made, err := tx.Exec(ctx, s.sql.add, id, shape, all)
		if err != nil {
			return err
		}
		if made.RowsAffected() == 0 {
			var other string
			if err := tx.QueryRow(ctx, s.sql.shape, id).Scan(&other); err == nil && other != shape {
				return readmodel.ErrShape
			} else if err != nil {
				return err
			}
			return nil
		}
		for _, t := range tables {
			if _, err := tx.Exec(ctx, m.sql[t].create()); err != nil {
				return fmt.Errorf("table %s: %w", t.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", id, err)
	}
	return m, nil
}

// IDs implements readmodel.Store.
func (s *Store) IDs(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, s.sql.ids)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// entry is a model's row in models.
type entry struct {
	id       string
	tables   []string
	position int64
	edition  int64
	held     bool // by another node that lives
}

// change runs f with the rows of models, locked, in one transaction.
func (s *Store) change(ctx context.Context, ids []string, f func(tx pgx.Tx, found map[string]entry) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockTimeout); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, s.sql.lock, ids, s.node)
		if err != nil {
			return err
		}
		all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e entry, err error) {
			return e, row.Scan(&e.id, &e.tables, &e.position, &e.edition, &e.held)
		})
		if err != nil {
			return err
		}
		found := map[string]entry{}
		for _, e := range all {
			found[e.id] = e
		}
		return f(tx, found)
	})
}

// Replace implements readmodel.Store. A model that has come further than the
// one that is to replace it is ErrMoved.
func (s *Store) Replace(ctx context.Context, from, id string) error {
	err := s.change(ctx, []string{from, id}, func(tx pgx.Tx, found map[string]entry) error {
		source, ok := found[from]
		if !ok {
			return errGone
		}
		target := found[id]
		if source.position < target.position {
			return readmodel.ErrMoved
		}
		if err := s.dropTables(ctx, tx, target.tables); err != nil {
			return err
		}
		tables := make([]string, len(source.tables))
		for i, old := range source.tables {
			tables[i] = id + strings.TrimPrefix(old, from)
			if _, err := tx.Exec(ctx, "ALTER TABLE "+s.quoted(old)+" RENAME TO "+quote(tables[i])); err != nil {
				return err
			}
		}
		for _, text := range s.sql.replace {
			if _, err := tx.Exec(ctx, text, from, id); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, s.sql.replaced, id, tables, max(source.edition, target.edition)+1)
		return err
	})
	if err != nil {
		return fmt.Errorf("model %s: %w", id, err)
	}
	return nil
}

// Drop implements readmodel.Store. A model that another node holds is readmodel.ErrHeld.
func (s *Store) Drop(ctx context.Context, id string) error {
	err := s.change(ctx, []string{id}, func(tx pgx.Tx, found map[string]entry) error {
		if found[id].held {
			return readmodel.ErrHeld
		}
		if err := s.dropTables(ctx, tx, found[id].tables); err != nil {
			return err
		}
		for _, text := range s.sql.drop {
			if _, err := tx.Exec(ctx, text, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("model %s: %w", id, err)
	}
	return nil
}

func (s *Store) dropTables(ctx context.Context, tx pgx.Tx, tables []string) error {
	for _, t := range tables {
		if _, err := tx.Exec(ctx, "DROP TABLE "+s.quoted(t)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) quoted(table string) string { return pgx.Identifier{s.schema, table}.Sanitize() }

// query runs a query that reads; once more when its connection turns out to be broken.
func (s *Store) query(ctx context.Context, text string, args []any, each func(raw [][]byte)) error {
	given := false
	once := func() error {
		return queryOn(ctx, s.pool, text, args, func(raw [][]byte) {
			given = true
			each(raw)
		})
	}
	err := once()
	if err == nil || given || ctx.Err() != nil || !broken(err) {
		return err
	}
	s.pool.Reset()
	return once()
}

// broken tells the end of a connection from what a server answers.
func broken(err error) bool {
	var answer *pgconn.PgError
	return !errors.As(err, &answer) || strings.HasPrefix(answer.Code, "57P") // operator intervention
}
