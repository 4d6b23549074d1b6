package recipient

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/event"
)

// maxGroup is how many hits are written together at most: far below
// eventlog.MaxAppendBytes, since commands cut what a client says of itself.
const maxGroup = 500

// A hit is one thing that a recipient did, on its way into the log.
type hit struct {
	campaign domain.ID
	// drafts are its events, for the writer's stream, which holds after events.
	drafts func(writer domain.ID, after uint64) []event.Draft
	done   chan error // buffered: the recorder never waits for who asked
}

// A recorder writes hits in groups: whatever came while the last group was on
// its way to the disk. It is the only writer of its streams, one a campaign.
//
// A write that fails is tried once more, with the same event ids, so that one
// which had gone through is not doubled. After that the stream is left behind
// and the campaign's next hits go to a new one.
type recorder struct {
	log     Log
	newID   func() domain.ID
	hits    chan hit
	quit    chan struct{}
	stopped chan struct{}
	once    sync.Once
	writers map[domain.ID]*writer // by campaign; of the goroutine that runs
}

type writer struct {
	id       domain.ID
	revision uint64
}

var errStopped = errors.New("the recorder of hits has stopped")

func newRecorder(log Log, newID func() domain.ID) *recorder {
	r := &recorder{
		log: log, newID: newID, hits: make(chan hit, maxGroup), quit: make(chan struct{}),
		stopped: make(chan struct{}), writers: map[domain.ID]*writer{},
	}
	go r.run()
	return r
}

// record returns once the hit is durable, or not.
func (r *recorder) record(ctx context.Context, h hit) error {
	h.done = make(chan error, 1)
	select {
	case r.hits <- h:
	case <-r.quit:
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-h.done:
		return err
	case <-r.stopped: // it may have been taken just before
		select {
		case err := <-h.done:
			return err
		default:
			return errStopped
		}
	}
}

// close writes what has been taken, and then no more.
func (r *recorder) close() {
	r.once.Do(func() { close(r.quit) })
	<-r.stopped
}

func (r *recorder) run() {
	defer close(r.stopped)
	for {
		select {
		case first := <-r.hits:
			r.write(r.gather(first))
		case <-r.quit:
			for {
				select {
				case first := <-r.hits:
					r.write(r.gather(first))
				default:
					return
				}
			}
		}
	}
}

func (r *recorder) gather(first hit) []hit {
	group := []hit{first}
	for len(group) < maxGroup {
		select {
		case h := <-r.hits:
			group = append(group, h)
		default:
			return group
		}
	}
	return group
}

// write appends a group, one append a campaign, and tells every hit.
func (r *recorder) write(group []hit) {
	ctx := context.Background() // a hit that was taken is written, whoever has left
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
		writes[i] = r.prepare(campaign, byCampaign[campaign])
	}
	_, errs := r.log.AppendBulk(ctx, writes)
	for i, campaign := range campaigns {
		r.settle(ctx, campaign, byCampaign[campaign], writes[i], errs[i])
	}
}

func (r *recorder) prepare(campaign domain.ID, hits []hit) eventlog.Write {
	w := r.writer(campaign)
	write := eventlog.Write{Stream: engagement.Stream(campaign, w.id), Expect: w.revision}
	for _, h := range hits {
		write.Events = append(write.Events, h.drafts(w.id, w.revision+uint64(len(write.Events)))...)
	}
	return write
}

// settle ends what AppendBulk began for one campaign. A refusal (somebody was
// erased a moment ago) is of one hit, not of the others that came with it.
func (r *recorder) settle(ctx context.Context, campaign domain.ID, hits []hit, write eventlog.Write, err error) {
	var refusal domain.Refusal
	if errors.As(err, &refusal) && len(hits) > 1 {
		for _, h := range hits {
			one := r.prepare(campaign, []hit{h})
			_, errs := r.log.AppendBulk(ctx, []eventlog.Write{one})
			r.settle(ctx, campaign, []hit{h}, one, errs[0])
		}
		return
	}
	if err != nil && refusal.Code == "" {
		_, errs := r.log.AppendBulk(ctx, []eventlog.Write{write})
		err = errs[0]
	}
	if err == nil {
		r.writers[campaign].revision += uint64(len(write.Events))
	} else if refusal.Code == "" {
		delete(r.writers, campaign)
		err = fmt.Errorf("record hits: %w", err)
	}
	for _, h := range hits {
		h.done <- err
	}
}

func (r *recorder) writer(campaign domain.ID) *writer {
	w, ok := r.writers[campaign]
	if !ok {
		w = &writer{id: r.newID()}
		r.writers[campaign] = w
	}
	return w
}
