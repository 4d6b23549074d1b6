package requests

import (
	"context"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/privacyrequest"
	"github.com/cleversender/cleversender/projections"
)

// Request is what a data subject asked for, and what became of it.
type Request struct {
	Account, ID domain.ID
	Person      domain.ID
	Kind        privacyrequest.Kind
	ReceivedAt  time.Time
	Due         time.Time
	FulfilledAt time.Time                       // zero: open
	Access      privacyrequest.AccessFulfilled  // zero unless an access request was fulfilled
	Erasure     privacyrequest.ErasureFulfilled // zero unless an erasure request was fulfilled
	Hold        domain.ID                       // the event from which a restriction or an objection holds; zero unless one was fulfilled
	cursor      Cursor
}

// Cursor is a place in the list of an account's requests; 0 is before the first.
type Cursor int64

// Cursor is where the list goes on after this request.
func (q Request) Cursor() Cursor { return q.cursor }

// Find returns a request of the account.
func Find(ctx context.Context, r projections.Reader, account, id domain.ID) (q Request, found bool, err error) {
	row, err := r.Get(ctx, requests, account[:], id[:])
	if err != nil || row == nil {
		return Request{}, false, err
	}
	return read(row), true, nil
}

// Recent returns up to limit requests of the account, newest first, after a cursor.
func Recent(ctx context.Context, r projections.Reader, account domain.ID, after Cursor, limit int) (out []Request, err error) {
	err = projections.ScanRecent(ctx, r, recent, account, int64(after), limit, func(id domain.ID) error {
		q, _, err := Find(ctx, r, account, id)
		out = append(out, q)
		return err
	})
	return out, err
}

// most is how many requests of one person are read.
const most = 1000

// Of returns the requests of a person, in id order.
func Of(ctx context.Context, r projections.Reader, account, person domain.ID) ([]Request, error) {
	rows, err := r.Scan(ctx, ofPerson, []any{account[:], person[:]}, nil, most)
	if err != nil {
		return nil, err
	}
	out := make([]Request, len(rows))
	for i, row := range rows {
		if out[i], _, err = Find(ctx, r, account, row.ID(2)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Open returns up to limit open requests of every account, the most urgent first.
func Open(ctx context.Context, r projections.Reader, limit int) ([]Request, error) {
	rows, err := r.Scan(ctx, open, nil, nil, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Request, len(rows))
	for i, row := range rows {
		if out[i], _, err = Find(ctx, r, row.ID(2), row.ID(1)); err != nil {
			return nil, err
		}
	}
	return out, nil
}
