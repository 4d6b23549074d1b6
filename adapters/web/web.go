// Package web is the dashboard: everything a marketer and compliance staff need,
// as pages rendered on the server.
//
// Pages ask nobody but this server, work without JavaScript (but for numbers
// that move by themselves), and are readable by keyboard and screen reader.
// A browser signs in with an API token and gets a session cookie; it reaches
// its own account and nothing else. A GET changes nothing; a POST from another
// site is refused by what the browser says of where it comes from.
//
// Personal values are opened for the page that shows them, and no address is
// ever part of a URL. Mail and templates of other people's making are shown in
// frames that may run nothing and load nothing.
package web

import (
	"context"
	"io"
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
)

// Log is the event log, as the dashboard needs it; *eventlog.Journal is one.
type Log interface {
	commands.Log
	// ReadAt returns the events at these positions, sealed.
	ReadFor(ctx context.Context, person domain.ID, positions []event.Position) ([]event.Recorded, error)
	// Open makes personal values plain, in place, or erased.
	Open(ctx context.Context, events []event.Recorded) error
	// OpenValues does the same for values that a read model keeps.
	OpenValues(ctx context.Context, values []eventlog.SealedValue) error
}

// Models is the read models. The name of a projection has no version in it.
type Models interface {
	// Reader reads the serving version of a projection.
	Reader(projection string) projections.Reader
	// WaitFor returns once the serving version has taken in a position.
	WaitFor(ctx context.Context, projection string, at event.Position) error
}

// ImportJob is a file on its way in.
type ImportJob struct {
	Import, Account, Actor, List domain.ID // List zero: no list
	Purposes                     []consent.Purpose
	Source                       string
}

// Sample is who a preview is made for.
type Sample struct {
	Email, Name string
	Attributes  map[string]string
}

// Rendered is a message, as one recipient would see it.
type Rendered struct{ Subject, HTML, Text string }

// Caught is a message that the built-in mail catcher took.
type Caught struct {
	Number int // from 1, in the order of arrival
	At     time.Time
	From   string
	To     []string
	Data   []byte
}

// Mailbox is the built-in mail catcher. It belongs to nobody: whoever is
// signed in sees all of it, so it is for trying things out only.
type Mailbox interface {
	// Messages returns up to limit messages, the newest first, older than a number (0: the newest).
	Messages(before, limit int) []Caught
	// Message is the one with a number, while it is kept.
	Message(number int) (Caught, bool)
	// Count is how many came in all.
	Count() int
}

// Finding is what one rule of preflight's says. Level: block, warn, unchecked or ok.
type Finding struct {
	Code, Level, Text string
	Details           []string
}

// Deps is what the dashboard stands on. Every field but Mailbox and Secure is needed.
type Deps struct {
	Log    Log
	Models Models
	// Find finds a person of the account by address, whatever its spelling. Its
	// errors are domain.Refusal or a fault.
	Find func(ctx context.Context, account domain.ID, address string) (person domain.ID, found bool, err error)
	// Import reads a file to its end; the error is a domain.Refusal or a fault.
	Import func(ctx context.Context, job ImportJob, file io.Reader) error
	// Freeze is what a campaign will say, from its settings as they are now.
	Freeze func(ctx context.Context, account domain.ID, s campaign.Settings) (campaign.Content, error)
	// Held says which limit lets a campaign wait, if any, and until when.
	Held func(campaign domain.ID) (by string, until time.Time)
	// Deliverable refuses settings by which no message could ever leave.
	Deliverable func(s campaign.Settings) error
	// Preflight is what speaks against a start, rule by rule.
	Preflight func(ctx context.Context, account domain.ID, s campaign.Settings) ([]Finding, error)
	// Check refuses a template that could never be rendered.
	Check func(c template.Content) error
	// Preview renders a template for somebody.
	Preview func(ctx context.Context, c template.Content, s Sample) (Rendered, error)
	// Bundle makes what an access request gets, as of a position: JSON.
	Bundle func(ctx context.Context, account, person domain.ID, upTo event.Position) ([]byte, error)
	// RequestMessage asks for a message to m.To, which may be anybody's address;
	// what the template says is filled in. Nothing is recorded of what it refuses.
	RequestMessage func(ctx context.Context, req commands.Request, id domain.ID, m message.Requested) (commands.Done, error)
	// Mailbox is nil when mail really leaves.
	Mailbox Mailbox

	Now    func() time.Time
	NewID  func() domain.ID // random, UUIDv7
	Logger *slog.Logger
	// Secure says that browsers come by https, even when this server does not see it.
	Secure bool
}

// site is the dashboard at work.
type site struct {
	Deps
	sessions sessions
}

// New makes the dashboard: a handler for every path that no other handler takes.
func New(deps Deps) http.Handler {
	s := &site{Deps: deps}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/{file}", assets)
	mux.HandleFunc("GET /login", s.loginPage)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("POST /logout", s.logout)
	for pattern, page := range s.pages() {
		mux.HandleFunc(pattern, s.signedIn(page))
	}
	return headers(http.NewCrossOriginProtection().Handler(mux))
}

// pages is every page that takes signing in.
func (s *site) pages() map[string]page {
	pages := map[string]page{
		"GET /{$}":                            s.campaigns,
		"GET /campaigns/new":                  s.newCampaign,
		"POST /campaigns":                     s.draftCampaign,
		"GET /campaigns/{id}":                 s.campaign,
		"GET /campaigns/{id}/edit":            s.editCampaignPage,
		"POST /campaigns/{id}/edit":           s.editCampaign,
		"GET /campaigns/{id}/progress":        s.progress,
		"GET /campaigns/{id}/send":            s.sendPage,
		"POST /campaigns/{id}/test":           s.testCampaign,
		"POST /campaigns/{id}/start":          s.startCampaign,
		"POST /campaigns/{id}/schedule":       s.scheduleCampaign,
		"POST /campaigns/{id}/unschedule":     s.unscheduleCampaign,
		"POST /campaigns/{id}/pause":          s.pauseCampaign,
		"POST /campaigns/{id}/throttle":       s.throttleCampaign,
		"POST /campaigns/{id}/resume":         s.resumeCampaign,
		"POST /campaigns/{id}/resend-unknown": s.resendUnknown,
		"GET /campaigns/{id}/cancel":          s.cancelPage,
		"POST /campaigns/{id}/cancel":         s.cancelCampaign,
		"GET /templates":                      s.templates,
		"GET /templates/new":                  s.newTemplate,
		"POST /templates":                     s.createTemplate,
		"GET /templates/{id}":                 s.template,
		"POST /templates/{id}":                s.editTemplate,
		"POST /templates/preview":             s.preview,
		"GET /lists":                          s.lists,
		"POST /lists":                         s.createList,
		"GET /lists/{id}":                     s.list,
		"POST /lists/{id}/archive":            s.archiveList,
		"GET /people":                         s.people,
		"POST /people":                        s.findPerson,
		"GET /people/{id}":                    s.person,
		"POST /people/{id}/export":            s.exportPerson,
		"GET /people/{id}/erase":              s.erasePage,
		"POST /people/{id}/erase":             s.erasePerson,
		"POST /people/{id}/restrict":          s.restrictPerson,
		"POST /people/{id}/object":            s.objectPerson,
		"POST /people/{id}/suppress":          s.suppressPerson,
		"POST /people/{id}/unsuppress":        s.unsuppressPerson,
		"POST /people/{id}/lift":              s.liftRestriction,
		"POST /people/{id}/withdraw":          s.withdrawObjection,
		"GET /people/{id}/requests/{bundle}":  s.bundle,
		"GET /imports":                        s.imports,
		"POST /imports":                       s.importFile,
		"GET /imports/{id}":                   s.importPage,
		"/":                                   s.noPage,
	}
	if s.Mailbox != nil {
		pages["GET /mailbox"] = s.mailbox
		pages["GET /mailbox/{number}"] = s.mail
		pages["GET /mailbox/{number}/html"] = s.mailHTML
		pages["GET /mailbox/{number}/source"] = s.mailSource
	}
	return pages
}

// contentSecurity: this server and nothing else, and no inline script or style.
const contentSecurity = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'"

// framed is for content of other people's making: no script, no form, no load
// from anywhere, an origin of its own.
const framed = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'; " +
	"sandbox allow-popups allow-popups-to-escape-sandbox"

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurity)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
