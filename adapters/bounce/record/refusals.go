package record

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	report "github.com/cleversender/cleversender/adapters/bounce"
	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/projections"
)

// Journal is the log, as a recorder uses it; *eventlog.Journal is one.
type Journal interface {
	commands.Log
	First(ctx context.Context, stream string) (event.Recorded, bool, error)
	Open(ctx context.Context, events []event.Recorded) error
	Follow(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[eventlog.RecordedPage, error]
}

// Cursor keeps how far Run has come in the log, on whichever node. What is
// saved last may be lost.
type Cursor interface {
	// Turn says whether this node is the one that records, and from where.
	Turn(ctx context.Context) (at event.Position, mine bool, err error)
	// Save moves on. When another node records by now, it is ErrTaken.
	Save(ctx context.Context, from, to event.Position) error
	// Leave lets another node record.
	Leave(ctx context.Context) error
}

// ErrTaken: another node records.
var ErrTaken = errors.New("another node records refusals")

const (
	pageSize  = 500
	atOnce    = 32          // people of a page, so that the log writes them together
	idleSave  = time.Minute // how often a position is kept that moved past nothing of interest
	afterward = time.Second // until what went wrong is tried again, or another node's turn may be over
)

// refusals are the events that tell of a server's no.
var refusals = []string{"send.failed", "message.failed"}

// Run reports what servers refuse, from where it was, whenever it is this
// node's turn, until ctx ends. It returns an error only for an event of a newer
// version of the software.
func (r *Recorder) Run(ctx context.Context) error {
	defer func() {
		if err := r.o.Cursor.Leave(context.WithoutCancel(ctx)); err != nil {
			r.o.Logger.Warn("other nodes record refusals later than they could", "error", err)
		}
	}()
	for {
		err := r.follow(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, event.ErrNewer):
			return err
		case err != nil && !errors.Is(err, ErrTaken):
			r.o.Logger.Warn("refusals were not recorded; they will be", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(afterward):
		}
	}
}

func (r *Recorder) follow(ctx context.Context) error {
	at, mine, err := r.o.Cursor.Turn(ctx)
	if err != nil {
		return fmt.Errorf("position of the refusals: %w", err)
	}
	if !mine {
		return ErrTaken
	}
	kept := time.Now()
	for page, err := range r.o.Journal.Follow(ctx, at, refusals, pageSize) {
		if err != nil {
			return fmt.Errorf("follow refusals: %w", err)
		}
		if err := r.page(ctx, page.Events); err != nil {
			return err
		}
		if page.Next == at || len(page.Events) == 0 && time.Since(kept) < idleSave {
			continue
		}
		if err := r.o.Cursor.Save(ctx, at, page.Next); err != nil {
			return fmt.Errorf("keep the position of the refusals: %w", err)
		}
		at, kept = page.Next, time.Now()
	}
	return nil
}

// page records the refusals of a page, many at once and each person's one after
// the other, and returns when all are durable.
func (r *Recorder) page(ctx context.Context, events []event.Recorded) error {
	if err := r.o.Journal.Open(ctx, events); err != nil {
		return fmt.Errorf("open refusals: %w", err)
	}
	people := map[domain.ID][]event.Recorded{}
	for _, e := range events {
		people[e.Meta.Subject] = append(people[e.Meta.Subject], e)
	}
	places, failed := make(chan struct{}, atOnce), make(chan error, 1)
	var working sync.WaitGroup
	for _, theirs := range people {
		places <- struct{}{}
		working.Go(func() {
			defer func() { <-places }()
			for _, e := range theirs {
				if err := r.refused(ctx, e); err != nil {
					select {
					case failed <- err:
					default: // one is enough to come back for all
					}
				}
			}
		})
	}
	working.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// refused records what a server's no says of a mailbox.
func (r *Recorder) refused(ctx context.Context, e event.Recorded) error {
	to := addressee{account: e.Meta.Account, person: e.Meta.Subject}
	var said reply
	switch data := e.Data.(type) {
	case delivery.Failed:
		to.letter, said = bounce.Letter{Campaign: data.Campaign, Ordinal: data.Ordinal}, reply{data.Code, data.Enhanced, data.Reply}
	case message.Failed:
		id, err := projections.StreamID(e.Stream)
		if err != nil {
			return nil
		}
		to.letter, said = bounce.Letter{Message: id}, reply{data.Code, data.Enhanced, data.Reply}
	}
	if said.code == 0 { // it never came to a server
		return nil
	}
	found := report.Report{Kind: said.kind(), Status: said.enhanced}
	if !counts(found.Kind) {
		r.count(bounce.SMTP, found.Kind, ignored)
		return nil
	}
	return r.record(ctx, e.ID.Derive("report"), to, bounce.SMTP, found, e.At)
}

// reply is a server's.
type reply struct {
	code     int
	enhanced string
	text     personal.Text
}

// kind is what the reply says of the mailbox. The code alone does not make it
// hard: it may be about the sender, and it is the same for everybody then.
func (r reply) kind() report.Kind {
	words, _ := r.text.Reveal()
	kind := report.Classify(r.code, r.enhanced, words)
	if kind == report.Hard {
		if said, _ := report.Explain(r.enhanced, words); said != report.Hard {
			return report.Soft
		}
	}
	return kind
}
