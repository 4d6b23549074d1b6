package recipient

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
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
	writers     *writers
}

// write appends what is allowed of some hits, one append a campaign, and says of
// every hit what came of it. Their order is lost.
func (s *scribe) write(hits []*hit) {
	ctx := context.Background() // a hit that was taken is written, whoever has left
	hits, err := s.allowed(ctx, hits)
	if err != nil {
		tell(hits, fmt.Errorf("read consent: %w", err))
		return
	}
	slices.SortStableFunc(hits, func(a, b *hit) int { return bytes.Compare(a.campaign[:], b.campaign[:]) })
	var each [][]*hit // of one campaign
	for len(hits) > 0 {
		n := 1
		for n < len(hits) && hits[n].campaign == hits[0].campaign {
			n++
		}
		each, hits = append(each, hits[:n]), hits[n:]
	}
	writes := make([]eventlog.Write, len(each))
	for i, hits := range each {
		writes[i] = s.prepare(hits)
	}
	_, errs := s.log.AppendBulk(ctx, writes)
	for i, hits := range each {
		s.settle(ctx, hits, writes[i], errs[i])
	}
}

// allowed is the hits that may be written; the others are told.
func (s *scribe) allowed(ctx context.Context, hits []*hit) ([]*hit, error) {
	who := make([]Who, len(hits))
	for i, h := range hits {
		who[i] = h.who
	}
	permissions, err := s.permissions(ctx, who)
	if err != nil {
		return hits, err
	}
	allowed := hits[:0]
	for i, h := range hits {
		if h.allowed == nil || h.allowed(permissions[i]) {
			allowed = append(allowed, h)
		} else {
			h.err = errNoConsent
		}
	}
	return allowed, nil
}

// prepare is the write of hits of one campaign.
func (s *scribe) prepare(hits []*hit) eventlog.Write {
	w := s.writers.of(hits[0].campaign)
	write := eventlog.Write{Stream: w.stream, Expect: w.revision, Events: make([]event.Draft, 0, len(hits))}
	for _, h := range hits {
		write.Events = append(write.Events, h.drafts...)
	}
	return write
}

// settle ends what AppendBulk began for hits of one campaign. A refusal (somebody
// was erased a moment ago) is of one hit, not of the others that came with it.
func (s *scribe) settle(ctx context.Context, hits []*hit, write eventlog.Write, err error) {
	if isRefusal(err) && len(hits) > 1 {
		for i := range hits {
			one := s.prepare(hits[i : i+1])
			_, errs := s.log.AppendBulk(ctx, []eventlog.Write{one})
			s.settle(ctx, hits[i:i+1], one, errs[0])
		}
		return
	}
	if err != nil && !isRefusal(err) {
		_, errs := s.log.AppendBulk(ctx, []eventlog.Write{write})
		err = errs[0]
	}
	campaign := hits[0].campaign
	switch {
	case err == nil:
		s.writers.of(campaign).revision += uint64(len(write.Events))
	case !isRefusal(err):
		s.writers.leave(campaign)
		err = fmt.Errorf("record hits: %w", err)
	}
	tell(hits, err)
}

func tell(hits []*hit, err error) {
	for _, h := range hits {
		h.err = err
	}
}
