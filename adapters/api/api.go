// Package api is the HTTP API: everything that can be asked of the engine, as
// JSON under /api/v1.
//
// A request names its account by its bearer token, and reaches nothing of any
// other account: what belongs to another looks like what does not exist. Errors
// are problem documents (RFC 9457) with a stable code. A POST with an
// Idempotency-Key can be sent again: it does once what it says. Answers to
// changes name their place in the log (Cleversender-Position); a GET with
// ?wait_for=position shows at least that.
//
// A fault is logged once, here, without personal values, and shown as "internal
// error". A client that went away is no fault.
package api

import (
	"context"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/template"
	"github.com/cleversender/cleversender/projections"
	"github.com/cleversender/cleversender/projections/tokens"
)

// Log is the event log, as the API needs it; *eventlog.Journal is one.
type Log interface {
	commands.Log
	// Follow yields pages after a position, sealed; at least one at the tail.
	Follow(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[eventlog.RecordedPage, error]
	// ReadAt returns the events at these positions, sealed.
	ReadFor(ctx context.Context, person domain.ID, positions []event.Position) ([]event.Recorded, error)
	// Open makes personal values plain, in place, or erased.
	Open(ctx context.Context, events []event.Recorded) error
	// OpenValues does the same for values that a read model keeps.
	OpenValues(ctx context.Context, values []eventlog.SealedValue) error
	// Head is the position of the last event.
	Head(ctx context.Context) (event.Position, error)
}

// Models is the read models. The name of a projection has no version in it.
type Models interface {
	// Reader reads the serving version of a projection.
	Reader(projection string) projections.Reader
	// WaitFor returns once the serving version has taken in a position.
	WaitFor(ctx context.Context, projection string, at event.Position) error
	// Rebuild builds a projection anew beside the serving one, then switches.
	Rebuild(ctx context.Context, projection string, progress func(done, head event.Position)) error
}

// Directory finds people by normalised address.
type Directory interface {
	// Reserve finds the person or mints an id; it is durable. suppressed: the
	// person behind the address was erased and has not come back.
	Reserve(ctx context.Context, account domain.ID, address string) (person domain.ID, suppressed bool, err error)
	Find(ctx context.Context, account domain.ID, address string) (person domain.ID, found bool, err error)
	// Move gives the person another address, or refuses.
	Move(ctx context.Context, account domain.ID, old, new string, person domain.ID) error
}

// ImportJob is a file on its way in. The same Import again goes on where it ended.
type ImportJob struct {
	Import, Account, Actor, List domain.ID
	Purposes                     []consent.Purpose
	Source, Charset              string
	Delimiter                    rune              // 0: found from the header line
	Mapping                      map[string]string // column -> email, name or an attribute
}

// Rendered is a message, as one recipient would see it.
type Rendered struct {
	Subject string `json:"subject"`
	HTML    string `json:"html"`
	Text    string `json:"text"`
}

// Sample is who a preview is made for.
type Sample struct {
	Email      string            `json:"email,omitempty" maxLength:"254"`
	Name       string            `json:"name,omitempty" maxLength:"200"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

// Deps is what the API stands on. Every field but Local is needed.
type Deps struct {
	Log    Log
	Models Models
	// Projections says how each projection does; the API adds what it is rebuilding.
	Projections func(ctx context.Context) ([]Projection, error)
	Directory   Directory
	Keys        Keys
	PrivateKeys PrivateKeys
	// Token is asked for a bearer token, by its SHA-256 in hex, before the read
	// model is; nil: nobody is.
	Token func(hash string) (t tokens.Token, found bool)
	// Address reads an e-mail address: as it is sent to, and the form that tells
	// people apart. Its errors are domain.Refusal.
	Address func(raw string) (plain, normal string, err error)
	// Import reads a file to its end; the error is a domain.Refusal or a fault.
	Import func(ctx context.Context, job ImportJob, file io.Reader) error
	// Freeze is what a campaign will say, from its settings as they are now.
	Freeze func(ctx context.Context, account domain.ID, s campaign.Settings) (campaign.Content, error)
	// Held says which limit lets a campaign wait, if any, and until when.
	Held func(campaign domain.ID) (by string, until time.Time)
	// Deliverable refuses settings by which no message could ever leave.
	Deliverable func(s campaign.Settings) error
	// Preflight is what speaks against a start, rule by rule; with links, those of
	// the template are fetched.
	Preflight func(ctx context.Context, account domain.ID, s campaign.Settings, links bool) ([]PreflightFinding, error)
	// Check refuses a template that could never be rendered.
	Check func(c template.Content) error
	// Preview renders a template for somebody.
	Preview func(ctx context.Context, c template.Content, s Sample) (Rendered, error)
	// RequestMessage asks for a message to m.To, which may be anybody's address;
	// what the template says is filled in. Nothing is recorded of what it refuses.
	RequestMessage func(ctx context.Context, req commands.Request, id domain.ID, m message.Requested) (commands.Done, error)
	// Local knows tokens that hold in this process only, by hash; nil: there are none.
	Local func(hash string) (t tokens.Token, found bool)
	// ConfirmURL is where a person confirms that they want mail of a list.
	ConfirmURL func(account, person, list domain.ID) string
	// Bundle makes what an access request gets, as of a position: JSON.
	Bundle func(ctx context.Context, account, person domain.ID, upTo event.Position) ([]byte, error)

	Now     func() time.Time
	NewID   func() domain.ID // random, UUIDv7
	Logger  *slog.Logger
	Version Version
}

// Version says what is running.
type Version struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go,omitempty"`
}

// Prefix is where every route of the API begins.
const Prefix = "/api/v1"

// PositionHeader says, in the answer to a change, where in the log it is.
const PositionHeader = "Cleversender-Position"

// IdempotencyHeader names a request of the client's, so that it can be sent again.
const IdempotencyHeader = "Idempotency-Key"

var _ http.Handler = (*Server)(nil)
