package csvimport

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/contactimport"
)

const (
	rejectedAtOnce = 500
	progressEvery  = 20000 // lines
)

// run is one go at an import.
type run struct {
	importer *Importer
	opt      Options
	stream   *commands.Owner[contactimport.Import, contactimport.Event]
	request  commands.Request // for the import's own stream
	people   commands.Request // for people's streams
	settled  contactimport.Progressed
	left     []contactimport.RejectedRow // not recorded yet
}

// all is the stages of an import, each in its goroutine, joined by channels
// that hold one chunk: what is in memory does not depend on the file.
func (r *run) all(ctx context.Context, file io.Reader) error {
	p := &parser{
		file: receive(file, mark{r.settled.Bytes, r.settled.SHA256}), size: r.opt.ChunkRows, resume: r.settled,
		rows: rows{address: r.importer.Address, clock: clock{latest: r.importer.Now()}, values: map[string]string{}},
	}
	if err := p.open(r.opt); err != nil {
		return err
	}
	parsed, reserved, writing := make(chan *chunk), make(chan *chunk), make(chan *chunk)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.run(ctx, parsed) })
	group.Go(func() error { return r.reserve(ctx, parsed, reserved) })
	group.Go(func() error { return r.write(ctx, group, reserved, writing) })
	group.Go(func() error { return r.settle(ctx, writing) })
	return group.Wait()
}

// reserve finds out who the rows are about.
func (r *run) reserve(ctx context.Context, in <-chan *chunk, out chan<- *chunk) error {
	defer close(out)
	for c := range in {
		addresses := make([]string, len(c.rows))
		for i := range c.rows {
			addresses[i] = c.rows[i].normal
		}
		if len(addresses) > 0 {
			var err error
			if c.reserved, err = r.importer.Directory.Reserve(ctx, r.opt.Account, addresses); err != nil {
				return fmt.Errorf("reserve addresses: %w", err)
			}
		}
		if err := send(ctx, out, c); err != nil {
			return err
		}
	}
	return nil
}

// write keeps two chunks on their way into the log at a time, unless the later
// one concerns somebody of the earlier: it has to see what that one wrote.
func (r *run) write(ctx context.Context, group *errgroup.Group, in <-chan *chunk, out chan<- *chunk) error {
	defer close(out)
	w := &writer{r.importer.Log, r.opt, r.people}
	var before *batch
	for c := range in {
		b := newBatch(c)
		if before != nil && b.touches(before) {
			if err := <-before.done; err != nil {
				return err
			}
		}
		group.Go(func() error {
			err := w.write(ctx, b)
			b.settle(r.opt.List)
			b.done <- err
			c.written <- err
			return err
		})
		before = b
		if err := send(ctx, out, c); err != nil {
			return err
		}
	}
	return nil
}

// settle takes chunks in the order of the file and records how far it has come.
func (r *run) settle(ctx context.Context, in <-chan *chunk) error {
	for c := range in {
		if err := <-c.written; err != nil {
			return err
		}
		if err := r.settleOne(ctx, c); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (r *run) settleOne(ctx context.Context, c *chunk) error {
	if errors.Is(c.end, ErrDiffers) {
		return c.end // how far it was read says nothing about the file that was begun
	}
	r.left = append(r.left, c.rejected...)
	counts := r.settled.Counts
	counts.Added += c.at.Counts.Added
	counts.Updated += c.at.Counts.Updated
	counts.Unchanged += c.at.Counts.Unchanged
	counts.Suppressed += c.at.Counts.Suppressed
	counts.Rejected += c.at.Counts.Rejected
	counts.HeldBack += c.at.Counts.HeldBack
	if c.at.Line > r.settled.Line {
		r.settled = c.at
	}
	r.settled.Counts = counts
	done := errors.Is(c.end, io.EOF)
	switch {
	case c.end != nil && !done:
		return c.end
	case done, r.settled.Line-r.stream.State.Mark.Line >= progressEvery:
		if err := r.progress(ctx); err != nil {
			return err
		}
	case len(r.left) >= rejectedAtOnce:
		if err := r.reject(ctx); err != nil {
			return err
		}
	}
	if r.opt.Progress != nil {
		r.opt.Progress(Progress{r.settled.Line, r.settled.Bytes, counts})
	}
	if done {
		s := r.settled
		return r.do(ctx, commands.FinishImport{Import: r.opt.Import, Line: s.Line, Bytes: s.Bytes, SHA256: s.SHA256, Counts: s.Counts})
	}
	return nil
}

// progress records the rows left out so far, and then that all up to here is in the log.
func (r *run) progress(ctx context.Context) error {
	if err := r.reject(ctx); err != nil {
		return err
	}
	s := r.settled
	if s.SHA256 == "" {
		return nil
	}
	return r.do(ctx, commands.ProgressImport{Import: r.opt.Import, Line: s.Line, Bytes: s.Bytes, SHA256: s.SHA256, Counts: s.Counts})
}

func (r *run) reject(ctx context.Context) error {
	for len(r.left) > 0 {
		n := min(len(r.left), rejectedAtOnce)
		if err := r.do(ctx, commands.RejectRows{Import: r.opt.Import, Rows: r.left[:n]}); err != nil {
			return err
		}
		r.left = r.left[n:]
	}
	r.left = nil
	return nil
}

func (r *run) do(ctx context.Context, cmd commands.Command[contactimport.Import, contactimport.Event]) error {
	_, err := r.stream.Do(ctx, r.request, cmd)
	return taken(err)
}

// fail records why the import could not go on, even when ctx is over, and
// returns why.
func (r *run) fail(ctx context.Context, why error) error {
	if errors.Is(why, ErrTaken) {
		return why
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	err := r.progress(ctx)
	if err == nil {
		err = r.do(ctx, commands.FailImport{Import: r.opt.Import, Line: r.settled.Line, Code: failure(why), Counts: r.settled.Counts})
	}
	if err != nil {
		return errors.Join(why, fmt.Errorf("record that import %s failed: %w", r.opt.Import, err))
	}
	return why
}

// failure is the stable code of why an import failed.
func failure(err error) string {
	var broken unreadable
	var refusal domain.Refusal
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "cancelled"
	case errors.As(err, &broken):
		return "read_failed"
	case errors.As(err, &refusal):
		return refusal.Code
	}
	return "fault"
}

func send(ctx context.Context, out chan<- *chunk, c *chunk) error {
	select {
	case out <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
