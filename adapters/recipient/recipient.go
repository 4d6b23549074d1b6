// Package recipient is what the recipients of a message reach: the open pixel,
// tracked links, and the pages on which they leave, confirm and choose.
//
// What they can rely on:
//
//   - GET and HEAD change nothing but, with their consent, the count of opens
//     and clicks. Leaving, confirming and choosing take a POST: a page's button,
//     or the mail client's one click (RFC 8058), with no cookie and no login.
//   - Consent is read at every hit, when it is about to be written. Without consent to open or click tracking
//     nothing is stored, and the picture and the redirect work just the same.
//   - A hit is durable before its reply. When it cannot be stored the reply goes
//     out all the same: a reader never waits for our disk to be mended. The
//     fault is logged and counted.
//   - A forged token gets the same picture, or a page that says nothing. A link
//     leads only to a target that the campaign was frozen with.
//   - The address of a reader is nowhere but in events, as a personal value.
//     There is no access log here, and pages ask nothing of third parties.
package recipient

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// Kind is what a token is for.
type Kind uint8

// The kinds of tokens, numbered as adapters/tracking numbers them.
const (
	Open        Kind = 1
	Click       Kind = 2
	Unsubscribe Kind = 3
	Confirm     Kind = 4
)

// Token is what a link in a message says, once its signature is checked.
type Token struct {
	Kind     Kind
	Campaign domain.ID
	Ordinal  int
	Person   domain.ID
	Account  domain.ID
	Link     int       // Click: index into the campaign's frozen links
	List     domain.ID // Unsubscribe, Confirm
}

// Log is the event log as recipients need it; *eventlog.Journal is one.
type Log interface {
	commands.Log
	// Prepare does beforehand what it can of an append to a stream.
	Prepare(stream string, drafts []event.Draft)
	// AppendBulk writes to many streams; each write succeeds or fails by itself.
	AppendBulk(ctx context.Context, writes []eventlog.Write) ([]eventlog.Result, []error)
}

// Who is a person, as an account knows them.
type Who struct {
	Account, Person domain.ID
	// Mailed is a position before that of the intent to send them the message, in
	// which what they did not allow is not tracked; 0: none is known.
	Mailed event.Position
}

// Permission is what a person allows at this moment.
type Permission struct{ Opens, Clicks bool }

// Deps is what the handler stands on.
type Deps struct {
	Log Log
	// Parse checks a token; its errors are domain.Refusal bad_token or token_expired.
	Parse func(token string, now time.Time) (Token, error)
	// Permissions is the consent of now, of each in the order asked; a person who is
	// unknown, erased or restricted allows nothing.
	Permissions func(ctx context.Context, who []Who) ([]Permission, error)
	// ListName is what the list is called; "" when it is not known.
	ListName func(ctx context.Context, account, list domain.ID) (string, error)

	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	Now            func() time.Time
	NewID          func() domain.ID // random, UUIDv7
	Logger         *slog.Logger
	Metrics        prometheus.Registerer
}

// Paths of the routes; a token follows, and for the pixel PixelSuffix.
const (
	PixelPath       = "/o/"
	PixelSuffix     = ".gif"
	LinkPath        = "/c/"
	UnsubscribePath = "/u/"
	ConfirmPath     = "/confirm/"
	PreferencesPath = "/preferences/" // takes an unsubscribe token
)

// TestToken is where an unsubscribe link of a test leads: to a page that says so.
const TestToken = "test"

var _ http.Handler = (*Handler)(nil)
