package record

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/message"
)

// addressee is whom a message went to.
type addressee struct {
	account, person domain.ID
	letter          bounce.Letter
}

// addressee finds whom the message with this ordinal of a campaign went to, or
// the message with this id when there is no such campaign.
func (r *Recorder) addressee(ctx context.Context, id domain.ID, ordinal int) (to addressee, known bool, err error) {
	begin, known, err := r.o.Journal.First(ctx, message.Stream(id))
	if err == nil && known {
		return addressee{begin.Meta.Account, begin.Meta.Subject, bounce.Letter{Message: id}}, ordinal == r.o.NoOrdinal, nil
	}
	if err == nil {
		to, known, err = r.recipient(ctx, id, ordinal)
	}
	if err != nil {
		return addressee{}, false, fmt.Errorf("find the recipient of a message: %w", err)
	}
	return to, known, nil
}

// recipient finds a campaign's recipient. Segments are of one size, unless that
// was changed in between: it looks where the ordinal is to be by the size of the
// first one, and then for the last segment that does not begin after it.
func (r *Recorder) recipient(ctx context.Context, campaign domain.ID, ordinal int) (to addressee, known bool, err error) {
	first, known, err := r.segment(ctx, campaign, 0)
	if err != nil || !known {
		return to, false, err
	}
	if to, known, err = r.among(ctx, campaign, ordinal/max(1, len(first.Subjects)), ordinal); known || err != nil {
		return to, known, err
	}
	var fault error
	next := sort.Search(ordinal+1, func(n int) bool { // nobody's segment has a higher number than they have
		s, known, err := r.segment(ctx, campaign, n)
		fault = errors.Join(fault, err)
		return !known || s.First > ordinal
	})
	if fault != nil || next == 0 {
		return to, false, fault
	}
	return r.among(ctx, campaign, next-1, ordinal)
}

// among finds a recipient in the n-th segment.
func (r *Recorder) among(ctx context.Context, campaign domain.ID, n, ordinal int) (to addressee, known bool, err error) {
	s, known, err := r.segment(ctx, campaign, n)
	at := ordinal - s.First
	if err != nil || !known || at < 0 || at >= len(s.Subjects) {
		return to, false, err
	}
	return addressee{s.account, s.Subjects[at], bounce.Letter{Campaign: campaign, Ordinal: ordinal}}, true, nil
}

type segment struct {
	account domain.ID
	delivery.Planned
}

func (r *Recorder) segment(ctx context.Context, campaign domain.ID, n int) (s segment, known bool, err error) {
	begin, known, err := r.o.Journal.First(ctx, delivery.Stream(campaign, n))
	planned, is := begin.Data.(delivery.Planned)
	return segment{begin.Meta.Account, planned}, known && is, err
}
