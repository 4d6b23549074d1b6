package campaign

import (
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// Event is anything that happens to a campaign.
//
//sumtype:decl
type Event interface{ isCampaignEvent() }

// Drafted: a campaign exists and can be edited.
type Drafted struct {
	Settings Settings `json:"settings"`
}

// Edited: the draft is now this, whole.
type Edited struct {
	Settings Settings `json:"settings"`
}

// Settings is what the marketer decides.
type Settings struct {
	Name      string      `json:"name"`
	Lists     []domain.ID `json:"lists"`
	Template  domain.ID   `json:"template"`
	FromName  string      `json:"from_name"`
	FromEmail string      `json:"from_email"` // the account's, not a recipient's
	ReplyTo   string      `json:"reply_to"`
	Tracking  Tracking    `json:"tracking"`
	Server    string      `json:"server,omitempty"` // the mail server's name; "": any that may
	Window    string      `json:"window,omitempty"` // when it may send (ParseWindow); "": always
}

// Tracking is what the campaign would like to observe; each person's consent
// decides what it may.
type Tracking struct {
	Opens  bool `json:"opens"`
	Clicks bool `json:"clicks"`
}

// Scheduled: sending begins at StartAt.
type Scheduled struct {
	StartAt time.Time `json:"start_at"`
	Forced  []string  `json:"forced,omitempty"` // codes of preflight's findings that are not to hold it back
}

// Unscheduled: the start was called off; the campaign is a draft again.
type Unscheduled struct {
	Reason string `json:"reason,omitempty"` // why it could not start; "": somebody thought better of it
}

// Started: the campaign is frozen; what follows is sending.
type Started struct {
	Content Content  `json:"content"`
	Forced  []string `json:"forced,omitempty"` // codes of preflight's findings that would have held it back
}

// Content is what every recipient gets, frozen at the start.
type Content struct {
	TemplateRevision uint64   `json:"template_revision"`
	SHA256           string   `json:"sha256"` // of subject, HTML, text and links, hex
	Links            []string `json:"links"`  // targets of tracked links; a token names one by index
}

// AudienceFrozen: these people, and nobody else, are the recipients.
type AudienceFrozen struct {
	Position   event.Position `json:"position"` // of the log, up to which consent was read
	Recipients int            `json:"recipients"`
	Segments   int            `json:"segments"`
	SHA256     string         `json:"sha256"` // of the 16-byte subject ids in ordinal order, hex
}

// Paused: no further message leaves until resumed.
type Paused struct {
	Reason string `json:"reason"`
}

// Resumed: sending goes on.
type Resumed struct{}

// Throttled: from now on so many messages an hour leave at most; 0: as many as there are.
type Throttled struct {
	PerHour int `json:"per_hour"`
}

// Cancelled: whoever has not been sent to never will be.
type Cancelled struct{}

// Finished: every recipient is sent, withheld, failed or unknown.
type Finished struct {
	Sent     int `json:"sent"`
	Withheld int `json:"withheld"`
	Failed   int `json:"failed"`
	Unknown  int `json:"unknown"` // intended, and no result known: never resent in silence
}

// ResendRequested: everybody whose outcome is unknown gets their turn again,
// with the same Message-ID; some may get the message twice.
type ResendRequested struct{}

func (Drafted) isCampaignEvent()         {}
func (Edited) isCampaignEvent()          {}
func (Scheduled) isCampaignEvent()       {}
func (Unscheduled) isCampaignEvent()     {}
func (Started) isCampaignEvent()         {}
func (AudienceFrozen) isCampaignEvent()  {}
func (Paused) isCampaignEvent()          {}
func (Resumed) isCampaignEvent()         {}
func (Throttled) isCampaignEvent()       {}
func (Cancelled) isCampaignEvent()       {}
func (Finished) isCampaignEvent()        {}
func (ResendRequested) isCampaignEvent() {}

// Events is the wire contract of this package.
var Events = []event.Type{
	event.Define[Drafted]("campaign.drafted"),
	event.Define[Edited]("campaign.edited"),
	event.Define[Scheduled]("campaign.scheduled"),
	event.Define[Unscheduled]("campaign.unscheduled"),
	event.Define[Started]("campaign.started"),
	event.Define[AudienceFrozen]("campaign.audience_frozen"),
	event.Define[Paused]("campaign.paused"),
	event.Define[Resumed]("campaign.resumed"),
	event.Define[Throttled]("campaign.throttled"),
	event.Define[Cancelled]("campaign.cancelled"),
	event.Define[Finished]("campaign.finished"),
	event.Define[ResendRequested]("campaign.resend_requested"),
}
