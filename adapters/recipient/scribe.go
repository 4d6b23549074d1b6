package recipient

import (
	"context"
	"fmt"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/engagement"
)

// A scribe writes groups of hits, one after the other, each with one read of
// consent and one bulk append. It is the only writer of its streams, one a
// campaign.
//
// A write that fails is tried once more, with the same event ids, so that one
// which had gone through is not doubled. After that the stream is left behind
// and the campaign's next hits go to a new one.
type scribe struct {
	log         Log
	permissions func(context.Context, []Who) ([]Permission, error)
	newID       func() domain.ID
	writers     map[domain.ID]*writer // by campaign
}

type writer struct {
	id       domain.ID
	revision uint64
}

// write appends what is allowed of a group, one append a campaign, and tells every hit.
func (s *scribe) write(group []hit) {
	ctx := context.Background() // a hit that was taken is written, whoever has left
	group, err := s.allowed(ctx, group)
	if err != nil {
		tell(group, fmt.Errorf("read consent: %w", err))
		return
	}
	byCampaign := map[domain.ID][]hit{}
	var campaigns []domain.ID
	for _, h := range group {
		if byCampaign[h.campaign] == nil {
			campaigns = append(campaigns, h.campaign)
		}
		byCampaign[h.campaign] = append(byCampaign[h.campaign], h)
	}
	writes := make([]eventlog.Write, len(campaigns))
	for i, campaign := range campaigns {
		writes[i] = s.prepare(campaign, byCampaign[campaign])
	}
	_, errs := s.log.AppendBulk(ctx, writes)
	for i, campaign := range campaigns {
		s.settle(ctx, campaign, byCampaign[campaign], writes[i], errs[i])
	}
}

// allowed is the hits that may be written; the others are told.
func (s *scribe) allowed(ctx context.Context, group []hit) ([]hit, error) {
	who := make([]Who, len(group))
	for i, h := range group {
		who[i] = h.who
	}
	permissions, err := s.permissions(ctx, who)
	if err != nil {
		return group, err
	}
	var allowed []hit
	for i, h := range group {
		if h.allowed == nil || h.allowed(permissions[i]) {
			allowed = append(allowed, h)
		} else {
			h.done <- errNoConsent
		}
	}
	return allowed, nil
}

func (s *scribe) prepare(campaign domain.ID, hits []hit) eventlog.Write {
	w := s.writer(campaign)
	write := eventlog.Write{Stream: engagement.Stream(campaign, w.id), Expect: w.revision}
	for _, h := range hits {
		write.Events = append(write.Events, h.drafts(w.id, w.revision+uint64(len(write.Events)))...)
	}
	return write
}

// settle ends what AppendBulk began for one campaign. A refusal (somebody was
// erased a moment ago) is of one hit, not of the others that came with it.
func (s *scribe) settle(ctx context.Context, campaign domain.ID, hits []hit, write eventlog.Write, err error) {
	if isRefusal(err) && len(hits) > 1 {
		for _, h := range hits {
			one := s.prepare(campaign, []hit{h})
			_, errs := s.log.AppendBulk(ctx, []eventlog.Write{one})
			s.settle(ctx, campaign, []hit{h}, one, errs[0])
		}
		return
	}
	if err != nil && !isRefusal(err) {
		_, errs := s.log.AppendBulk(ctx, []eventlog.Write{write})
		err = errs[0]
	}
	switch {
	case err == nil:
		s.writers[campaign].revision += uint64(len(write.Events))
	case !isRefusal(err):
		delete(s.writers, campaign)
		err = fmt.Errorf("record hits: %w", err)
	}
	tell(hits, err)
}

func tell(hits []hit, err error) {
	for _, h := range hits {
		h.done <- err
	}
}

func (s *scribe) writer(campaign domain.ID) *writer {
	w, ok := s.writers[campaign]
	if !ok {
		w = &writer{id: s.newID()}
		s.writers[campaign] = w
	}
	return w
}
