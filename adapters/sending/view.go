package sending

import (
	"context"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
	"github.com/cleversender/cleversender/projections/audience"
)

// View is the Audience that projection audience answers.
type View struct {
	Reader projections.Reader
	Wait   func(ctx context.Context, at event.Position) error // until the reader's model has passed at
}

// WaitFor implements Audience.
func (v View) WaitFor(ctx context.Context, at event.Position) error { return v.Wait(ctx, at) }

// Mailable implements Audience.
func (v View) Mailable(ctx context.Context, account domain.ID, lists []domain.ID, after domain.ID, limit int) ([]domain.ID, error) {
	return audience.MailableIDs(ctx, v.Reader, account, lists, after, limit)
}

// Permissions implements Audience.
func (v View) Permissions(ctx context.Context, account domain.ID, lists, people []domain.ID) ([]audience.Permission, error) {
	return audience.Permissions(ctx, v.Reader, account, lists, people)
}
