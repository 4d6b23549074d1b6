package csvimport

import (
	"context"
	"io"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/contactimport"
)

// Log is the event log, as an import sees it; *eventlog.Journal is one.
type Log interface {
	commands.Log
	// AppendBulk writes to many streams; each write succeeds or fails by itself.
	AppendBulk(ctx context.Context, writes []eventlog.Write) ([]eventlog.Result, []error)
}

// Reservation is what a directory knows of one address.
type Reservation struct {
	Person     domain.ID // who it belongs to from now on
	Known      bool      // the account had reserved it before
	Suppressed bool      // erased earlier: not to be held again
}

// Directory finds people by address.
type Directory interface {
	// Reserve finds the person behind each normal address, or makes an id for
	// them; it is durable when it returns. One address twice gives one person.
	Reserve(ctx context.Context, account domain.ID, addresses []string) ([]Reservation, error)
}

// Importer brings files of contacts into the log.
type Importer struct {
	Log       Log
	Directory Directory
	// Address reads an e-mail address: as it is sent to, and the form that
	// tells people apart. Its errors are domain.Refusal and hold no value.
	Address func(raw string) (plain, normal string, err error)
}

// Options says what the file is and where it goes.
type Options struct {
	Import   contactimport.ID // the same id again goes on where that import ended
	Account  domain.ID
	Actor    domain.ID
	List     domain.ID         // zero: no list
	Purposes []consent.Purpose // what the account asserts that everyone in the file agreed to
	Source   string            // where the account says the file is from

	Charset   string            // an IANA name; "": UTF-8, or what the byte order mark says
	Delimiter rune              // ',', ';' or '\t'; 0: found from the header line
	Mapping   map[string]string // column name in the file -> target; see Columns
	ChunkRows int               // rows decided together; 0: 5,000
	MaxBytes  int64             // of the file, unpacked; 0: 8 GiB
	// Progress, when set, is called from one goroutine as rows become durable.
	Progress func(Progress)
}

// Progress is how far an import has come; all of it is in the log.
type Progress struct {
	Line   int   // of the file, from 1
	Bytes  int64 // as received
	Counts contactimport.Counts
}

// Result is what came of an import.
type Result struct {
	Line   int
	Bytes  int64
	SHA256 string // of the bytes as received, hex
	Counts contactimport.Counts
}

// Import reads the whole file. Bad rows are left out and recorded; the rest
// goes on. When the file itself cannot be read on, the error is a
// domain.Refusal (or ctx's, or the reader's), the import is recorded as failed
// and what came before stays.
func (im *Importer) Import(ctx context.Context, opt Options, file io.Reader) (Result, error) {
	return Result{}, nil
}
