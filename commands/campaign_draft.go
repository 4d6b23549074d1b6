package commands

import (
	"slices"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

var (
	ErrListTwice    = domain.Refuse("list_twice", "a list is named twice, or not at all")
	ErrTooManyLists = domain.Refuse("too_many_lists", "a campaign goes to at most 100 lists")
)

const maxLists = 100

// DraftCampaign begins a campaign. What is missing can be added until it starts.
type DraftCampaign struct {
	Campaign campaign.ID
	Settings campaign.Settings
}

// Stream implements Command.
func (c DraftCampaign) Stream() string { return campaign.Stream(c.Campaign) }

// Decide implements Command.
func (c DraftCampaign) Decide(is campaign.Campaign) ([]campaign.Event, error) {
	switch {
	case is.Status != campaign.None && (c.Settings.Equal(is.First) || c.Settings.Equal(is.Settings)):
		return nil, nil
	case is.Status != campaign.None:
		return nil, ErrExists
	}
	if err := checkSettings(c.Settings); err != nil {
		return nil, err
	}
	return []campaign.Event{campaign.Drafted{Settings: c.Settings}}, nil
}

// checkSettings refuses what is wrong; what is missing is ready's to refuse.
func checkSettings(s campaign.Settings) error {
	if len(s.Lists) > maxLists {
		return ErrTooManyLists
	}
	for i, l := range s.Lists {
		if l.IsZero() || slices.Contains(s.Lists[:i], l) {
			return ErrListTwice
		}
	}
	for _, a := range []string{s.FromEmail, s.ReplyTo} {
		if a == "" {
			continue
		}
		if err := address(a); err != nil {
			return err
		}
	}
	if err := oneLine("server's name", s.Server, maxName); err != nil {
		return err
	}
	if s.Window != "" {
		if _, err := campaign.ParseWindow(s.Window); err != nil {
			return err
		}
	}
	if err := oneLine("sender's name", s.FromName, maxName); err != nil {
		return err
	}
	return someLine("name", s.Name, maxName)
}
