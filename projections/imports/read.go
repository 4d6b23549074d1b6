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
	return Import{}, false, nil
}

// Recent returns up to limit imports of the account, newest first, after a cursor.
func Recent(ctx context.Context, r projections.Reader, account domain.ID, after Cursor, limit int) ([]Import, error) {
	return nil, nil
}

// Rejected returns up to limit rows that were left out, in file order, after a
// line. The caller has made sure (Find) that the import is the account's.
func Rejected(ctx context.Context, r projections.Reader, id domain.ID, afterLine, limit int) ([]contactimport.RejectedRow, error) {
	return nil, nil
}
