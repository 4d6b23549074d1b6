package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

var (
	ErrTooManyLinks = domain.Refuse("too_many_links", "a message has at most 65,535 tracked links")
	ErrNoRevision   = domain.Refuse("template_revision_required", "name the revision of the template that is sent")
)

const (
	maxLinks = 1<<16 - 1 // a tracking token has two octets for the link
	maxLink  = 2048
)

// StartCampaign freezes what every recipient gets, and begins to send.
type StartCampaign struct {
	Campaign campaign.ID
	Content  campaign.Content
	Blocked  []string // codes of preflight's findings that hold it back
	Force    []string // those of them that are not to
}

// Stream implements Command.
func (c StartCampaign) Stream() string { return campaign.Stream(c.Campaign) }

// Decide implements Command.
func (c StartCampaign) Decide(is campaign.Campaign) ([]campaign.Event, error) {
	switch {
	case is.Status == campaign.None:
		return nil, ErrNotFound
	case is.Started && c.Content.Equal(is.Content):
		return nil, nil
	case is.Over():
		return nil, ErrOver
	case is.Started:
		return nil, ErrStarted
	}
	if err := Ready(is.Settings); err != nil {
		return nil, err
	}
	if err := checkContent(c.Content); err != nil {
		return nil, err
	}
	forced, err := overridden(c.Blocked, c.Force)
	if err != nil {
		return nil, err
	}
	return []campaign.Event{campaign.Started{Content: c.Content, Forced: forced}}, nil
}

func checkContent(c campaign.Content) error {
	switch {
	case c.TemplateRevision == 0:
		return ErrNoRevision
	case len(c.Links) > maxLinks:
		return ErrTooManyLinks
	}
	for _, l := range c.Links {
		if err := someLine("target of a link", l, maxLink); err != nil {
			return err
		}
	}
	return hexDigest(c.SHA256)
}
