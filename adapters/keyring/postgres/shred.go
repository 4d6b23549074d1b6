package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/domain"
)

// Shred destroys every key of a person for good, on every node, and returns how
// many have been destroyed, by this call or an earlier one. No key is made for
// the person again.
func (s *Store) Shred(ctx context.Context, subject domain.ID) (keys int, err error) {
	err = s.alone(ctx, func(b *pgx.Batch) {
		b.Queue(`WITH gone AS (DELETE FROM keys WHERE subject = $1 RETURNING subject)
			INSERT INTO erased AS e (subject, keys) SELECT $1::uuid, count(*) FROM gone
			ON CONFLICT (subject) DO UPDATE SET keys = e.keys + excluded.keys RETURNING keys`, [16]byte(subject)).
			QueryRow(func(row pgx.Row) error { return row.Scan(&keys) })
		b.Queue(`SELECT pg_notify($1, $2)`, s.place.schema, subject.String())
	})
	s.cache.Evict(subject) // after a failed commit too: nobody knows what the disk holds
	if err != nil {
		return 0, fmt.Errorf("shred the keys of subject %s: %w", subject, err)
	}
	return keys, nil
}
