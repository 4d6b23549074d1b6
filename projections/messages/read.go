package messages

import (
	"context"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/projections"
)

// Message is one message and what became of it.
type Message struct {
	Account, ID domain.ID
	Person      domain.ID
	Kind        message.Kind
	Campaign    domain.ID // that a test is of; zero otherwise
	Template    domain.ID
	RequestedAt time.Time
	Status      message.Status
	Since       time.Time       // of the status
	Worker      domain.ID       // who intended it last
	Reason      delivery.Reason // of a withheld or failed one
	Code        int             // of the server's last reply; 0: it gave none
	Enhanced    string          // RFC 3463
	Tries       int             // how often a server said not now
	Knocks      int             // how often it could not leave
	cursor      Cursor
}

// Cursor is a place in the list of an account's messages; 0 is before the first.
type Cursor int64

// Cursor is where the list goes on after this message.
func (m Message) Cursor() Cursor { return m.cursor }

// Find returns a message of the account.
func Find(ctx context.Context, r projections.Reader, account, id domain.ID) (m Message, found bool, err error) {
	row, err := r.Get(ctx, all, account[:], id[:])
	if err != nil || row == nil {
		return Message{}, false, err
	}
	return read(row), true, nil
}

// Recent returns up to limit messages of the account, newest first, after a cursor.
func Recent(ctx context.Context, r projections.Reader, account domain.ID, after Cursor, limit int) (out []Message, err error) {
	err = projections.ScanRecent(ctx, r, recent, account, int64(after), limit, func(id domain.ID) error {
		m, _, err := Find(ctx, r, account, id)
		out = append(out, m)
		return err
	})
	return out, err
}

// Tests returns up to limit tests of a campaign, newest first.
func Tests(ctx context.Context, r projections.Reader, account, campaign domain.ID, limit int) ([]Message, error) {
	rows, err := r.Scan(ctx, ofCampaign, []any{account[:], campaign[:]}, nil, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Message, len(rows))
	for i, row := range rows {
		if out[i], _, err = Find(ctx, r, account, row.ID(3)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Open returns up to limit messages of every account that wait for their turn,
// or for a result, in id order, after one (zero: from the start).
func Open(ctx context.Context, r projections.Reader, after domain.ID, limit int) ([]Message, error) {
	var from []any
	if !after.IsZero() {
		from = []any{after[:]}
	}
	rows, err := r.Scan(ctx, open, nil, from, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Message, len(rows))
	for i, row := range rows {
		if out[i], _, err = Find(ctx, r, row.ID(1), row.ID(0)); err != nil {
			return nil, err
		}
	}
	return out, nil
}
