package csvimport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/contactimport"
	"github.com/cleversender/cleversender/domain/list"
)

// Log is the event log, as an import sees it; *eventlog.Journal is one.
type Log interface {
	commands.Log
	// AppendBulk writes to many streams; each write succeeds or fails by itself.
	AppendBulk(ctx context.Context, writes []eventlog.Write) ([]eventlog.Result, []error)
}

// Reservation is what a directory knows of one address.
type Reservation struct {
	Person     domain.ID // who it belongs to from now on; zero when suppressed
	Known      bool      // it was there before, maybe from earlier in the same call
	Suppressed bool      // the person behind it was erased: not to be held again
}

// Directory finds people by address.
type Directory interface {
	// Reserve finds the person behind each normal address, or makes an id for
	// them; it is durable when it returns. One address twice gives one person.
	Reserve(ctx context.Context, account domain.ID, addresses []string) ([]Reservation, error)
}

// DirectoryFunc is a Directory out of the Reserve of something that has its
// own type for a Reservation.
func DirectoryFunc[R ~struct {
	Person     domain.ID
	Known      bool
	Suppressed bool
}](reserve func(context.Context, domain.ID, []string) ([]R, error),
) Directory {
	return directoryFunc(func(ctx context.Context, account domain.ID, addresses []string) ([]Reservation, error) {
		found, err := reserve(ctx, account, addresses)
		out := make([]Reservation, len(found))
		for i, r := range found {
			out[i] = Reservation(r)
		}
		return out, err
	})
}

type directoryFunc func(context.Context, domain.ID, []string) ([]Reservation, error)

func (f directoryFunc) Reserve(ctx context.Context, account domain.ID, addresses []string) ([]Reservation, error) {
	return f(ctx, account, addresses)
}

// Importer brings files of contacts into the log. It is safe for concurrent use.
type Importer struct {
	Log       Log
	Directory Directory
	// Address reads an e-mail address: as it is sent to, and the form that
	// tells people apart. Its errors are domain.Refusal and hold no value.
	Address func(raw string) (plain, normal string, err error)
	Now     func() time.Time // nobody has consented later than this
}

// Options says what the file is and where it goes.
type Options struct {
	Import   contactimport.ID // the same id again goes on where that import ended
	Account  domain.ID
	Actor    domain.ID
	List     domain.ID
	Purposes []consent.Purpose // what the account asserts that everyone in the file agreed to
	Source   string            // where the account says the file is from

	Charset   string            // a name of the WHATWG Encoding Standard; "": UTF-8, or what the byte order mark says
	Delimiter rune              // ',', ';', '\t' or '|'; 0: found from the header line
	Mapping   map[string]string // column name in the file -> a Target, or an attribute's name
	ChunkRows int               // rows decided together; 0: 2,000
	MaxBytes  int64             // of the file, unpacked; 0: 8 GiB
	// Progress, when set, is called from one goroutine as rows become durable.
	Progress func(Progress)
}

// Progress is how far an import has come; all of it is in the log.
type Progress struct {
	Line   int   // of the file, from 1
	Bytes  int64 // of the file, as received
	Counts contactimport.Counts
}

// Result is what came of an import.
type Result struct {
	Line   int
	Bytes  int64
	SHA256 string // of the bytes as received, hex
	Counts contactimport.Counts
}

// ErrTaken: two imports under one id run at the same time.
var ErrTaken = domain.Refuse("import_taken", "somebody else goes on with this import")

const (
	defaultChunk  = 2000
	maxChunk      = 10000
	recordTimeout = 10 * time.Second
)

// Import reads the whole file. Bad rows are left out and recorded; the rest
// goes on. When the file itself cannot be read on, the error is a
// domain.Refusal (or ctx's, or the reader's), the import is recorded as failed
// and what came before stays. A cancelled ctx does not end a Read of file that
// is under way: close it for that. An import that finished is not read again.
func (im *Importer) Import(ctx context.Context, opt Options, file io.Reader) (Result, error) {
	if err := im.check(ctx, &opt); err != nil {
		return Result{}, err
	}
	run, err := im.start(ctx, opt)
	if err != nil {
		return Result{}, err
	}
	if is := run.stream.State; is.Status == contactimport.Done {
		return Result(is.Result), nil
	}
	if err := run.all(ctx, file); err != nil {
		return Result{}, run.fail(ctx, err)
	}
	return Result(run.stream.State.Result), nil
}

// check fills in what was left open, and refuses what can be refused at once.
func (im *Importer) check(ctx context.Context, opt *Options) error {
	if opt.ChunkRows <= 0 {
		opt.ChunkRows = defaultChunk
	}
	opt.ChunkRows = min(opt.ChunkRows, maxChunk)
	if opt.MaxBytes <= 0 {
		opt.MaxBytes = defaultMaxBytes
	}
	switch opt.Delimiter {
	case 0, ',', ';', '\t', '|':
	default:
		return ErrBadDelimiter
	}
	if _, err := encodingOf(opt.Charset); err != nil {
		return err
	}
	if opt.List.IsZero() {
		return commands.ErrListNeeded
	}
	return commands.Exists(ctx, im.Log, opt.Account, list.Stream(opt.List))
}

// start opens the import's own stream.
func (im *Importer) start(ctx context.Context, opt Options) (*run, error) {
	stream, err := commands.Own[contactimport.Import, contactimport.Event](ctx, im.Log, opt.Account, contactimport.Stream(opt.Import))
	if err != nil {
		return nil, err
	}
	// What is recorded about people derives from the import, so that doing it
	// again changes nothing. What is recorded about the import itself derives
	// from this run: two runs at a time must not take each other's events for
	// their own.
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("make an id: %w", err)
	}
	r := &run{
		importer: im, opt: opt, stream: stream,
		request: commands.Request{ID: domain.ID(id), Account: opt.Account, Actor: opt.Actor, Correlation: opt.Import},
		people:  commands.Request{ID: opt.Import, Account: opt.Account, Actor: opt.Actor},
	}
	start := commands.StartImport{Import: opt.Import, List: opt.List, Purposes: opt.Purposes, Source: opt.Source}
	if _, err := stream.Do(ctx, r.request, start); err != nil {
		return nil, taken(err)
	}
	r.settled = stream.State.Mark
	return r, nil
}

func taken(err error) error {
	if errors.Is(err, domain.ErrConflict) {
		return ErrTaken
	}
	return err
}
