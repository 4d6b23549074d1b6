package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// defaultRewrite is how large a table may be, in MiB, to be written anew by a
// purge: nobody can read it meanwhile, for a few tenths of a second.
const defaultRewrite = 32

// Purge implements readmodel.Model. Of a table that is not too large it leaves
// nothing but the living rows, in files that are new. Of a larger one no row
// version and no index entry of a deleted row is left, but the space that they
// took holds what it held until it is used again (sealed values, whose key is
// gone), and a key, which is an id, may stay in the index as a separator.
func (m *model) Purge(ctx context.Context) error {
	var edition, purged int64
	err := m.store.pool.QueryRow(ctx, m.store.sql.purge, m.id).Scan(&edition, &purged)
	if err != nil || edition == purged {
		return err
	}
	conn, err := m.store.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if err := outlived(ctx, conn); err != nil {
		return err
	}
	for _, t := range m.tables {
		if err := vacuum(ctx, conn, m.sql[t].name, m.store.rewrite); err != nil {
			return err
		}
	}
	_, err = conn.Exec(ctx, m.store.sql.purged, m.id, edition)
	return err
}

// outlived waits until nobody can see rows that are deleted by now.
func outlived(ctx context.Context, conn *pgxpool.Conn) error {
	var now int64
	if err := conn.QueryRow(ctx, "SELECT pg_current_xact_id()::text::bigint").Scan(&now); err != nil {
		return err
	}
	for {
		var sees bool
		err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
			AND pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker'
			AND age(backend_xmin) > age(($1::bigint % 4294967296)::text::xid))`, now).Scan(&sees)
		if err != nil || !sees {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func vacuum(ctx context.Context, conn *pgxpool.Conn, table string, rewrite int64) error {
	var size int64
	if err := conn.QueryRow(ctx, "SELECT pg_total_relation_size($1::text::regclass)", table).Scan(&size); err != nil {
		return err
	}
	if size > rewrite {
		_, err := conn.Exec(ctx, "VACUUM (INDEX_CLEANUP ON) "+table)
		return err
	}
	if _, err := conn.Exec(ctx, "SET lock_timeout = '5s'"); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, "VACUUM (FULL) "+table)
	if _, reset := conn.Exec(context.WithoutCancel(ctx), "RESET lock_timeout"); err == nil {
		err = reset
	}
	return err
}
