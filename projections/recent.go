package projections

import (
	"context"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// RecentTable lists an account's things by when they were made, newest first,
// which their ids do not tell.
func RecentTable(name string) *Table {
	return &Table{
		Name:   name,
		Key:    []Column{{"account", Bytes}, {"newest", Int}},
		Values: []Column{{"id", Bytes}},
	}
}

// RecentRow is a thing's place in it, by the event that made it.
func RecentRow(e event.Recorded, id domain.ID) Row {
	return Row{e.Meta.Account[:], Newest(e.Position), id[:]}
}

// Newest sorts later positions first.
func Newest(p event.Position) int64 { return -int64(p) }

// ScanRecent gives each thing to add, newest first, after a cursor (0: from the
// start): up to limit of them.
func ScanRecent(ctx context.Context, r Reader, t *Table, account domain.ID, cursor int64, limit int,
	add func(id domain.ID) error,
) error {
	var after []any
	if cursor != 0 {
		after = []any{cursor}
	}
	rows, err := r.Scan(ctx, t, []any{account[:]}, after, limit)
	for _, row := range rows {
		if err == nil {
			err = add(row.ID(2))
		}
	}
	return err
}
