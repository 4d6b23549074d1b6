package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/privacyrequest"
)

// dueLimit bounds how many open requests are held in memory.
const dueLimit = 1000

// Run fulfils the requests that are open, then each one as it comes in, until
// ctx ends. It returns an error only when the log cannot be followed.
func (d *Desk) Run(ctx context.Context) error {
	head, err := d.o.Journal.Head(ctx)
	if err != nil {
		return fmt.Errorf("head of the log: %w", err)
	}
	if err := d.o.Models.WaitAll(ctx, head); err != nil {
		return ended(ctx, fmt.Errorf("wait for the read models: %w", err))
	}
	incoming, failed := make(chan Task), make(chan error, 1)
	following, stop := context.WithCancel(ctx)
	defer stop()
	go func() { failed <- d.follow(following, head, incoming) }()
	return d.work(ctx, incoming, failed)
}

func (d *Desk) work(ctx context.Context, incoming <-chan Task, failed <-chan error) error {
	open := d.due(ctx)
	retry := time.NewTimer(d.o.Retry)
	defer retry.Stop()
	for {
		if len(open) > 0 {
			t := open[0]
			open = open[1:]
			d.attempt(ctx, t)
		}
		if len(open) > 0 && ctx.Err() == nil {
			select {
			case t := <-incoming:
				open = append(open, t)
			default:
			}
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return ended(ctx, err)
		case t := <-incoming:
			open = append(open, t)
		case <-retry.C: // what failed is still due
			open = d.due(ctx)
			retry.Reset(d.o.Retry)
		}
	}
}

// due lists what is open; a fault is reported, and tried again later.
func (d *Desk) due(ctx context.Context) []Task {
	tasks, err := d.o.Due(ctx, dueLimit)
	if err != nil && ctx.Err() == nil {
		d.o.Report(Task{}, 0, fmt.Errorf("list open requests: %w", err))
	}
	return tasks
}

func (d *Desk) attempt(ctx context.Context, t Task) {
	start := time.Now()
	err := d.Fulfil(ctx, t)
	if ctx.Err() == nil || err == nil {
		d.o.Report(t, time.Since(start), err)
	}
}

// follow hands on requests as they are received.
func (d *Desk) follow(ctx context.Context, after event.Position, to chan<- Task) error {
	types := []string{d.o.Catalog.Name(privacyrequest.Received{})}
	for page, err := range d.o.Journal.Follow(ctx, after, types, 100) {
		if err != nil {
			return fmt.Errorf("follow requests: %w", err)
		}
		for _, e := range page.Events {
			t, ok := taskOf(e)
			if !ok {
				continue
			}
			select {
			case to <- t:
			case <-ctx.Done():
				return nil
			}
		}
	}
	return errors.New("follow requests: the log ended")
}

func taskOf(e event.Recorded) (Task, bool) {
	received, ok := e.Data.(privacyrequest.Received)
	if !ok {
		return Task{}, false
	}
	const ids = 36 // characters of an id, at the end of the stream's name
	id, err := domain.ParseID(e.Stream[max(0, len(e.Stream)-ids):])
	if err != nil || privacyrequest.Stream(id) != e.Stream || !slices.Contains(privacyrequest.Kinds, received.Kind) {
		return Task{}, false
	}
	return Task{e.Meta.Account, id, e.Meta.Subject, received.Kind}, true
}

// ended is nil when the reason is that ctx ended.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
