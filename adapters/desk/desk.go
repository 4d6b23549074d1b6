// Package desk is the worker that fulfils privacy requests.
//
// An erasure takes these steps, each of them durable before the next begins:
//
//  1. The addresses that the person ever had leave the directory and go onto
//     the suppression list, both as keyed hashes. From here on no import
//     finds the person, or adds them anew.
//  2. subscriber.erased ends the person's stream. From here on nothing is
//     recorded about them, and no message is sent.
//  3. The keys are destroyed, and their file is purged. From here on nobody
//     reads the person's data: not in the log, not in a read model, not in a backup.
//  4. Every projection has passed the redaction, and the files of the read
//     models are purged of the rows that it deleted.
//  5. request.erasure_fulfilled says so.
//
// What fails is begun again from the first step, by this process or the next.
// Each step, done again, changes nothing; step 1 needs the keys that step 3
// destroys, and is over by then. What keeps failing stays open, and is
// reported every time; it never keeps other requests from being fulfilled.
package desk

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/privacyrequest"
)

// Journal is the log, as the desk uses it; *eventlog.Journal is one.
type Journal interface {
	commands.Log
	ReadFor(ctx context.Context, person domain.ID, positions []event.Position) ([]event.Recorded, error)
	Open(ctx context.Context, events []event.Recorded) error
	Follow(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[eventlog.RecordedPage, error]
	Head(ctx context.Context) (event.Position, error)
}

// Keys destroys the keys of a person; a keyring does.
type Keys interface {
	Shred(ctx context.Context, subject domain.ID) (keys int, err error)
	Purge(ctx context.Context) error
}

// Directory forgets addresses; a keyring does.
type Directory interface {
	Forget(ctx context.Context, account domain.ID, address string, person domain.ID, suppress bool) error
}

// Models is the read models, as erasure needs them; *readmodel.Host is one.
type Models interface {
	// WaitAll returns once every serving projection has passed the position.
	WaitAll(ctx context.Context, position event.Position) error
	// Purge leaves nothing of deleted rows in any byte of the models' files.
	Purge(ctx context.Context) error
}

// Subjects lists the events that concern a person up to a position, in log
// order: projection subjectindex.
type Subjects func(ctx context.Context, person domain.ID, upTo event.Position) ([]event.Position, error)

// Task is an open request.
type Task struct {
	Account, Request, Person domain.ID
	Kind                     privacyrequest.Kind
}

// Due lists up to limit open requests of every account, the most urgent first:
// projection requests.
type Due func(ctx context.Context, limit int) ([]Task, error)

// Options are what a desk needs.
type Options struct {
	Journal   Journal
	Catalog   event.Catalog
	Keys      Keys
	Directory Directory
	Models    Models
	Subjects  Subjects
	Due       Due
	// Normalise gives the form of an address that the directory knows. An
	// address that it refuses was never in the directory.
	Normalise func(string) (string, error)
	// Report hears of each attempt, err nil when the request is fulfilled; with
	// the zero task, of why no request could be listed. It may be nil.
	Report func(task Task, took time.Duration, err error)
	// Retry is the pause before what failed is tried again; zero is a second.
	Retry time.Duration
}

// Desk fulfils requests. It is safe for concurrent use.
type Desk struct{ o Options }

// New makes a desk. Nothing moves before Run.
func New(o Options) *Desk {
	if o.Report == nil {
		o.Report = func(Task, time.Duration, error) {}
	}
	if o.Retry == 0 {
		o.Retry = time.Second
	}
	return &Desk{o}
}

// ErrUnknownKind: a newer version of the software accepted the request.
var ErrUnknownKind = errors.New("the request is of a kind that this version does not know")

// Fulfil does what one request asks for. Done already, it changes nothing.
func (d *Desk) Fulfil(ctx context.Context, t Task) error {
	var err error
	switch t.Kind {
	case privacyrequest.Access:
		err = d.access(ctx, t)
	case privacyrequest.Erasure:
		err = d.erase(ctx, t)
	case privacyrequest.Restriction:
		err = d.restrict(ctx, t)
	case privacyrequest.Objection:
		err = d.object(ctx, t)
	default:
		err = ErrUnknownKind
	}
	if err != nil {
		return fmt.Errorf("fulfil %s request %s: %w", t.Kind, t.Request, err)
	}
	return nil
}

// request is what the commands of a step are known by: the same after a crash.
func (t Task) request(step string) commands.Request {
	return commands.Request{ID: t.Request.Derive("desk/" + step), Account: t.Account, Correlation: t.Request}
}
