package imports

import (
	"context"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/contactimport"
	"github.com/cleversender/cleversender/projections"
)

// Import is a file on its way in.
type Import struct {
	Account, ID domain.ID
	List        domain.ID
	Purposes    []consent.Purpose
	Source      string
	Status      Status
	Code        string // why it failed
	Line        int    // everything up to it is in the log
	Bytes       int64
	SHA256      string // of the file so far, hex
	Counts      contactimport.Counts
	StartedAt   time.Time
	EndedAt     time.Time
	cursor      Cursor
}

// Status is where an import stands. Names are API.
type Status string

const (
	Running  Status = "running"
	Finished Status = "finished"
	Failed   Status = "failed"
)

// Cursor is a place in the list of an account's imports; 0 is before the first.
type Cursor int64

// Cursor is where the list goes on after this import.
func (i Import) Cursor() Cursor { return i.cursor }

// Find returns an import of the account.
func Find(ctx context.Context, r projections.Reader, account, id domain.ID) (i Import, found bool, err error) {
	row, err := r.Get(ctx, imports, account[:], id[:])
	if err != nil || row == nil {
		return Import{}, false, err
	}
	return read(row), true, nil
}

// Recent returns up to limit imports of the account, newest first, after a cursor.
func Recent(ctx context.Context, r projections.Reader, account domain.ID, after Cursor, limit int) (out []Import, err error) {
	err = projections.ScanRecent(ctx, r, recent, account, int64(after), limit, func(id domain.ID) error {
		i, _, err := Find(ctx, r, account, id)
		out = append(out, i)
		return err
	})
	return out, err
}

// Rejected returns rows that were left out, in file order, after a line: up to
// limit, or a few more so that all of one line come together. The caller has
// made sure (Find) that the import is the account's.
func Rejected(ctx context.Context, r projections.Reader, id domain.ID, afterLine, limit int) ([]contactimport.RejectedRow, error) {
	rows, err := r.Scan(ctx, rejects, []any{id[:]}, []any{int64(afterLine)}, limit)
	if err == nil && len(rows) == limit && limit > 0 {
		last := rows[len(rows)-1]
		var rest []projections.Row
		rest, err = r.Scan(ctx, rejects, []any{id[:], last[1]}, []any{last[2]}, limit)
		rows = append(rows, rest...)
	}
	out := make([]contactimport.RejectedRow, len(rows))
	for i, row := range rows {
		out[i] = contactimport.RejectedRow{Line: row.Int(1), Column: row.Text(2), Code: row.Text(3)}
	}
	return out, err
}
