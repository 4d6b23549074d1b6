package templates

import (
	"context"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/template"
	"github.com/cleversender/cleversender/projections"
)

// Template is a template as it is now.
type Template struct {
	Account, ID domain.ID
	Name        string
	Content     template.Content
	Revision    uint64 // how many events its stream holds
	CreatedAt   time.Time
	EditedAt    time.Time
	cursor      Cursor
}

// Cursor is a place in the list of an account's templates; 0 is before the first.
type Cursor int64

// Cursor is where the list goes on after this template.
func (t Template) Cursor() Cursor { return t.cursor }

// Find returns a template of the account.
func Find(ctx context.Context, r projections.Reader, account, id domain.ID) (t Template, found bool, err error) {
	row, err := r.Get(ctx, templates, account[:], id[:])
	if err != nil || row == nil {
		return Template{}, false, err
	}
	return Template{
		Account: row.ID(0), ID: row.ID(1), cursor: Cursor(row[2].(int64)), Name: row.Text(3),
		Content:  template.Content{Subject: row.Text(4), HTML: row.Text(5), Text: row.Text(6)},
		Revision: uint64(row.Int(7)), CreatedAt: row.Time(8), EditedAt: row.Time(9),
	}, true, nil
}

// Recent returns up to limit templates of the account, newest first, after a cursor.
func Recent(ctx context.Context, r projections.Reader, account domain.ID, after Cursor, limit int) (out []Template, err error) {
	err = projections.ScanRecent(ctx, r, recent, account, int64(after), limit, func(id domain.ID) error {
		t, _, err := Find(ctx, r, account, id)
		out = append(out, t)
		return err
	})
	return out, err
}
