package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/eventlog/group"
	"github.com/cleversender/cleversender/domain/event"
)

// intern returns the ids of kinds, these events' among them. A row for a kind
// that is new is committed first: who reads an event finds its kind.
func (l *Log) intern(ctx context.Context, events []event.Stored) (map[group.Kind]int64, error) {
	set := l.kinds.Load()
	var names []string
	var versions []int64
	for i := range events {
		e := &events[i]
		if _, known := set.IDs[group.Kind{Name: e.Type, Version: e.Version}]; known {
			continue
		}
		names, versions = append(names, e.Type), append(versions, int64(e.Version))
	}
	if names == nil {
		return set.IDs, nil
	}
	err := l.read(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		const insert = `INSERT INTO kinds (name, version)
			SELECT DISTINCT * FROM unnest($1::text[], $2::bigint[]) ORDER BY 1, 2
			ON CONFLICT DO NOTHING`
		if _, err := conn.Exec(ctx, insert, names, versions); err != nil {
			return err
		}
		return l.loadKinds(ctx, conn)
	})
	if err != nil {
		return nil, fmt.Errorf("write kinds of events: %w", err)
	}
	return l.kinds.Load().IDs, nil
}

func (l *Log) loadKinds(ctx context.Context, conn *pgx.Conn) error {
	set := group.NewKindset()
	rows, err := conn.Query(ctx, "SELECT id, name, version FROM kinds")
	if err != nil {
		return err
	}
	var id int64
	var k group.Kind
	if _, err := pgx.ForEachRow(rows, []any{&id, &k.Name, &k.Version}, func() error {
		set.Add(id, k)
		return nil
	}); err != nil {
		return err
	}
	l.kinds.Grow(set)
	return nil
}
