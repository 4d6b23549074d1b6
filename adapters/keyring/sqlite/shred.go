package sqlite

import (
	"context"
	"fmt"

	"github.com/cleversender/cleversender/domain"
)

// Shred destroys every key of a person for good, and returns how many have
// been destroyed, by this call or an earlier one. No key is made for the
// person again. Purge then reaches what the WAL still holds.
func (s *Store) Shred(_ context.Context, subject domain.ID) (keys int, err error) {
	err = s.writer.do(func(w *writer) error {
		w.saw(subject)
		if err := w.exec(`INSERT INTO erased (subject) VALUES (?) ON CONFLICT DO NOTHING`, subject[:]); err != nil {
			return err
		}
		if err := w.exec(`UPDATE keys SET wrapped = zeroblob(length(wrapped)) WHERE subject = ?`, subject[:]); err != nil {
			return err
		}
		return w.row([]any{subject[:]}, `SELECT count(*) FROM keys WHERE subject = ?`, &keys)
	})
	s.cache.Evict(subject) // after a failed commit too: nobody knows what the disk holds
	if err != nil {
		return 0, fmt.Errorf("shred the keys of subject %s: %w", subject, err)
	}
	return keys, nil
}
