package campaignlist

import (
	"context"
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
	Reason      string // of the pause
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
	return Campaign{}, false, nil
}

// Recent returns up to limit campaigns of the account, newest first, after a cursor.
func Recent(ctx context.Context, r projections.Reader, account domain.ID, after Cursor, limit int) ([]Campaign, error) {
	return nil, nil
}

// Due returns up to limit scheduled campaigns of any account whose time is not after now, earliest first.
func Due(ctx context.Context, r projections.Reader, now time.Time, limit int) ([]Ref, error) {
	return nil, nil
}

// NextDue is when the earliest scheduled campaign of any account starts; zero: none is scheduled.
func NextDue(ctx context.Context, r projections.Reader) (time.Time, error) { return time.Time{}, nil }

// Active returns the campaigns of every account that are being sent or paused.
func Active(ctx context.Context, r projections.Reader) ([]Ref, error) { return nil, nil }
