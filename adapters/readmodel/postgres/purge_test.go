package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/adapters/readmodel/postgres"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

var people = &projections.Table{
	Name: "people", Key: []projections.Column{{Name: "id", Kind: projections.Bytes}}, Values: []projections.Column{{Name: "sealed", Kind: projections.Bytes}},
}

// filled is a model of 2000 people of whom number 1234 is deleted and number 1236 changed.
func filled(t *testing.T, url string) readmodel.Model {
	t.Helper()
	s, err := postgres.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	m, err := s.Open(t.Context(), "m_v1", []*projections.Table{people})
	if err != nil {
		t.Fatal(err)
	}
	key := func(i int) []byte { return fmt.Appendf(nil, "key-canary-%d-", i) }
	sealed := func(i int) []byte { return fmt.Appendf(nil, "canary-%d-%s", i, bytes.Repeat([]byte("x"), i%900)) }
	for at, fold := range []func(projections.Rows) error{
		func(r projections.Rows) error {
			for i := range 2000 {
				if err := r.Put(people, projections.Row{key(i), sealed(i)}); err != nil {
					return err
				}
			}
			return nil
		},
		func(r projections.Rows) error { return r.Delete(people, key(1234)) },
		func(r projections.Rows) error { return r.Put(people, projections.Row{key(1236), []byte("other")}) },
	} {
		if err := m.Apply(t.Context(), readmodel.Batch{From: event.Position(at), Next: event.Position(at + 1), Fold: fold}); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// After a purge no byte of a deleted or changed row is in any file of the database, be it of the table or of its index.
func TestPurgeLeavesNothing(t *testing.T) {
	url := pgtest.Database(t)
	m := filled(t, url)
	for _, text := range []string{"key-canary-1234-", "canary-1236-xxx"} {
		if pgtest.Found(t, url, []byte(text)) == 0 {
			t.Fatal("the search finds nothing")
		}
	}
	if err := m.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"canary-1234-", "canary-1236-xxx"} {
		if n := pgtest.Found(t, url, []byte(text)); n > 0 {
			t.Errorf("%d hits of %s after the purge", n, text)
		}
	}
	if pgtest.Found(t, url, []byte("canary-1235-")) == 0 {
		t.Error("the others went too")
	}
}

// A table that is too large to be written anew has no dead row.
func TestPurgeOfLargeTables(t *testing.T) {
	url := pgtest.Database(t)
	m := filled(t, url+"&rewrite_mb=0")
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), "CREATE EXTENSION pgstattuple"); err != nil {
		t.Fatal(err)
	}
	dead := func() (n int64) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), "SELECT dead_tuple_count FROM pgstattuple('cleversender_models.m_v1_people')").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if dead() == 0 {
		t.Fatal("nothing is dead before the purge")
	}
	if err := m.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := dead(); n != 0 {
		t.Errorf("%d dead rows after the purge", n)
	}
}

// A purge waits for whoever still sees the deleted rows.
func TestPurgeWaitsForSnapshots(t *testing.T) {
	m := filled(t, pgtest.Database(t))
	snapshot, err := m.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Apply(t.Context(), readmodel.Batch{From: 3, Next: 4, Fold: func(r projections.Rows) error { return r.Delete(people) }}); err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := m.Purge(soon); err == nil {
		t.Error("the purge was done while a snapshot held the rows")
	}
	if err := snapshot.Close(); err != nil {
		t.Fatal(err)
	}
	if err := m.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
}
