package sending

import (
	"context"
	"iter"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections/audience"
)

// Journal is the event log as the worker needs it; *eventlog.Journal is one.
type Journal interface {
	commands.Log
	// Follow yields pages after a position, sealed; then waits at the tail.
	Follow(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[eventlog.RecordedPage, error]
	// Head is the position of the last event.
	Head(ctx context.Context) (event.Position, error)
	// OpenValues makes sealed values plain, in place, or erased.
	OpenValues(ctx context.Context, values []eventlog.SealedValue) error
}

// Audience is who may be mailed, as a view that follows the log.
type Audience interface {
	// WaitFor returns when the view has taken in everything up to a position.
	WaitFor(ctx context.Context, at event.Position) error
	// Edition changes whenever Permissions may answer otherwise. A change that
	// WaitFor has waited for shows in the edition read after it.
	Edition() uint64
	// Members returns up to limit people who are on at least one of the lists,
	// each once, in id order, after a person; none: that was all. Each of them is
	// sent to or withheld with a reason.
	Members(ctx context.Context, account domain.ID, lists []domain.ID, after domain.ID, limit int) ([]domain.ID, error)
	// Permissions says of each person whether and how they may be mailed now,
	// in the order asked. WaitFor before it makes "now" a position at least.
	Permissions(ctx context.Context, account domain.ID, lists, people []domain.ID) ([]audience.Permission, error)
}

// Composer makes messages.
type Composer interface {
	// Freeze is what a campaign will say, from its settings as they are now. A
	// refusal (no template, say) makes a scheduled campaign a draft again, which says why.
	Freeze(ctx context.Context, account domain.ID, s campaign.Settings) (campaign.Content, error)
	// Compile readies a started campaign: asked once for each run of it.
	Compile(ctx context.Context, c Mailing) (Mailer, error)
}

// Mailing is a started campaign.
type Mailing struct {
	Account, Campaign domain.ID
	Settings          campaign.Settings
	Content           campaign.Content
}

// Mailer makes one campaign's messages. It is used by many goroutines at once.
type Mailer interface {
	// Message is made anew for each try of a recipient, with the same Message-ID.
	// Its Data is appended to dst, which the caller uses again once it is sent.
	// An error means that it cannot be made for this recipient; it is logged
	// without its text, which may hold what belongs to a person.
	Message(ctx context.Context, dst []byte, r Recipient) (Message, error)
}

// Recipient is one person in a campaign, in the clear.
type Recipient struct {
	Person        domain.ID
	Ordinal       int       // place in the campaign's audience, from 0
	List          domain.ID // the one that they are mailed for
	Email, Name   string
	Attributes    map[string]string
	OpenTracking  bool // what the person allows; what the campaign wants is in its Settings
	ClickTracking bool
}

// Message is an envelope and what is in it.
type Message struct {
	From, To string // RFC 5321 paths, without angle brackets
	Data     []byte
	Author   string // whose mail it is: the address in its From field
	Server   string // the only one that may take it; "": any that takes its author's mail
}

// Transport takes messages to a server, many at once. When it says
// delivery.NotSent, nothing that could be delivered has left.
type Transport interface {
	Send(ctx context.Context, m Message) delivery.Reply
}
