package desk

import (
	"context"
	"fmt"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/list"
)

// names looks up what the ids in a bundle mean, as of its position.
type names struct {
	journal   Journal
	upTo      event.Position
	lists     map[domain.ID]listed
	campaigns map[domain.ID]campaigned
	seen      []named // campaigns, in the order of their first event
}

type listed struct {
	named
	doubleOptIn bool
}

type campaigned struct {
	name  string
	links []string
}

// load returns a stream's events up to the position.
func (n *names) load(ctx context.Context, stream string) ([]event.Recorded, error) {
	past, err := n.journal.Load(ctx, stream)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", stream, err)
	}
	for i, e := range past {
		if e.Position > n.upTo {
			return past[:i], nil
		}
	}
	return past, nil
}

func (n *names) account(ctx context.Context, id domain.ID) (named, error) {
	past, err := n.load(ctx, account.Stream(id))
	out := named{ID: id}
	for _, e := range past {
		if created, ok := e.Data.(account.Created); ok {
			out.Name = created.Name
		}
	}
	return out, err
}

func (n *names) list(ctx context.Context, id domain.ID) (listed, error) {
	if out, ok := n.lists[id]; ok {
		return out, nil
	}
	past, err := n.load(ctx, list.Stream(id))
	out := listed{named: named{ID: id}}
	for _, e := range past {
		if created, ok := e.Data.(list.Created); ok {
			out.Name, out.doubleOptIn = created.Name, created.DoubleOptIn
		}
	}
	n.lists[id] = out
	return out, err
}

// note remembers the campaign that an event is about, and returns the target
// of the link that it tells of, "" when none.
func (n *names) note(ctx context.Context, data any) (link string, err error) {
	var about domain.ID
	at := -1
	switch e := data.(type) {
	case delivery.Intended:
		about = e.Campaign
	case delivery.Withheld:
		about = e.Campaign
	case delivery.Accepted:
		about = e.Campaign
	case delivery.Deferred:
		about = e.Campaign
	case delivery.Failed:
		about = e.Campaign
	case engagement.Opened:
		about = e.Campaign
	case engagement.Unsubscribed:
		about = e.Campaign
	case engagement.Clicked:
		about, at = e.Campaign, e.Link
	default:
		return "", nil
	}
	c, ok := n.campaigns[about]
	if !ok {
		if c, err = n.campaign(ctx, about); err != nil {
			return "", err
		}
		n.campaigns[about] = c
		n.seen = append(n.seen, named{about, c.name})
	}
	if at >= 0 && at < len(c.links) {
		link = c.links[at]
	}
	return link, nil
}

func (n *names) campaign(ctx context.Context, id domain.ID) (c campaigned, err error) {
	past, err := n.load(ctx, campaign.Stream(id))
	for _, e := range past {
		switch e := e.Data.(type) {
		case campaign.Drafted:
			c.name = e.Settings.Name
		case campaign.Edited:
			c.name = e.Settings.Name
		case campaign.Started:
			c.links = e.Content.Links
		}
	}
	return c, err
}
