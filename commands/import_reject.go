package commands

import (
	"sort"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/contactimport"
)

var (
	ErrImportOver = domain.Refuse("import_over", "the import has ended")
	ErrRowOrder   = domain.Refuse("rows_out_of_order", "rows come in the order of the file")
	ErrManyRows   = domain.Refuse("too_many_rows", "at most 5,000 rejected rows can be recorded at once")
)

const maxRejected = 5000

// RejectRows notes rows that were left out. Batches come in the order of the
// file, and all that is wrong with one line comes in one batch.
type RejectRows struct {
	Import contactimport.ID
	Rows   []contactimport.RejectedRow
}

// Stream implements Command.
func (c RejectRows) Stream() string { return contactimport.Stream(c.Import) }

// Decide implements Command. Rows that an earlier batch reached are dropped.
func (c RejectRows) Decide(is contactimport.Import) ([]contactimport.Event, error) {
	if is.Status == contactimport.None {
		return nil, ErrNotFound
	}
	if err := checkRows(c.Rows); err != nil {
		return nil, err
	}
	news := c.Rows[sort.Search(len(c.Rows), func(i int) bool { return c.Rows[i].Line > is.Rejected }):]
	switch {
	case len(news) == 0:
		return nil, nil
	case is.Status != contactimport.Running:
		return nil, ErrImportOver
	}
	return []contactimport.Event{contactimport.RowsRejected{Rows: news}}, nil
}

func checkRows(rows []contactimport.RejectedRow) error {
	if len(rows) > maxRejected {
		return ErrManyRows
	}
	for i, r := range rows {
		if r.Line < 1 || i > 0 && r.Line < rows[i-1].Line {
			return ErrRowOrder
		}
		if err := someLine("code", r.Code, maxAttrName); err != nil {
			return err
		}
		if err := oneLine("column", r.Column, maxAttrName); err != nil {
			return err
		}
	}
	return nil
}
