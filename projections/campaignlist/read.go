package campaignlist

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/projections"
)

// Campaign is one campaign; how it does is campaignreport's to say.
type Campaign struct {
	Account, ID domain.ID
	Settings    campaign.Settings
	Status      campaign.Status
	Reason      string // of the pause, or why a scheduled start was called off
	Throttle    int    // messages an hour; 0: as many as there are
	CreatedAt   time.Time
	EditedAt    time.Time
	StartAt     time.Time // when it is scheduled for; zero when it is not
	StartedAt   time.Time
	EndedAt     time.Time // finished or cancelled
	Content     campaign.Content
	Frozen      campaign.AudienceFrozen // zero before the audience is frozen
	Totals      campaign.Finished       // zero before the end
	cursor      Cursor
}

// Cursor is a place in the list of an account's campaigns; 0 is before the first.
type Cursor int64

// Cursor is where the list goes on after this campaign.
func (c Campaign) Cursor() Cursor { return c.cursor }

// Ref names a campaign of an account.
type Ref struct{ Account, Campaign domain.ID }

// Find returns a campaign of the account.
func Find(ctx context.Context, r projections.Reader, account, id domain.ID) (c Campaign, found bool, err error) {
	row, err := r.Get(ctx, campaigns, account[:], id[:])
	if err != nil || row == nil {
		return Campaign{}, false, err
	}
	c, err = read(row)
	return c, err == nil, err
}

// Each visits the campaigns of every account.
func Each(ctx context.Context, r projections.Reader, visit func(Campaign) error) error {
	const page = 1000
	var after []any
	for {
		rows, err := r.Scan(ctx, campaigns, nil, after, page)
		if err != nil {
			return err
		}
		for _, row := range rows {
			c, err := read(row)
			if err == nil {
				err = visit(c)
			}
			if err != nil {
				return err
			}
			after = row[:2]
		}
		if len(rows) < page {
			return nil
		}
	}
}

func read(row projections.Row) (Campaign, error) {
	var d details
	if err := json.Unmarshal([]byte(row.Text(4)), &d); err != nil {
		return Campaign{}, fmt.Errorf("campaign %s: %w", row.ID(1), err)
	}
	return Campaign{
		Account: row.ID(0), ID: row.ID(1), Settings: d.Settings, Status: campaign.Status(row.Text(3)), Reason: d.Reason, Throttle: d.Throttle,
		CreatedAt: projections.Time(d.Created), EditedAt: projections.Time(d.Edited),
		StartAt: projections.Time(d.StartAt), StartedAt: projections.Time(d.Started), EndedAt: projections.Time(d.Ended),
		Content: d.Content, Frozen: d.Frozen, Totals: d.Totals, cursor: Cursor(row[2].(int64)),
	}, nil
}

// Recent returns up to limit campaigns of the account, newest first, after a cursor.
func Recent(ctx context.Context, r projections.Reader, account domain.ID, after Cursor, limit int) (out []Campaign, err error) {
	err = projections.ScanRecent(ctx, r, recent, account, int64(after), limit, func(id domain.ID) error {
		c, _, err := Find(ctx, r, account, id)
		out = append(out, c)
		return err
	})
	return out, err
}

// Due returns up to limit scheduled campaigns of any account whose time is not after now, earliest first.
func Due(ctx context.Context, r projections.Reader, now time.Time, limit int) ([]Ref, error) {
	rows, err := r.Scan(ctx, due, nil, nil, limit)
	var out []Ref
	for _, row := range rows {
		if !row.Time(0).After(now) {
			out = append(out, Ref{row.ID(2), row.ID(1)})
		}
	}
	return out, err
}

// NextDue is when the earliest scheduled campaign of any account starts; zero: none is scheduled.
func NextDue(ctx context.Context, r projections.Reader) (time.Time, error) {
	rows, err := r.Scan(ctx, due, nil, nil, 1)
	if err != nil || len(rows) == 0 {
		return time.Time{}, err
	}
	return rows[0].Time(0), nil
}

// Active returns the campaigns of every account that are being sent or paused.
func Active(ctx context.Context, r projections.Reader) ([]Ref, error) {
	const page = 1000
	var out []Ref
	var after []any
	for {
		rows, err := r.Scan(ctx, active, nil, after, page)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			out = append(out, Ref{row.ID(1), row.ID(0)})
			after = row[:1]
		}
		if len(rows) < page {
			return out, nil
		}
	}
}
