package recipient

import (
	"context"
	"fmt"
	"sync"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

// maxCached is how many campaigns' links are kept at hand.
const maxCached = 1000

// linkCache keeps the links of started campaigns: they never change.
type linkCache struct {
	mu    sync.RWMutex
	links map[[2]domain.ID][]string
}

// of returns the campaign's links; none when it has not started, or is not the account's.
func (c *linkCache) of(ctx context.Context, log commands.Log, account, id domain.ID) ([]string, error) {
	key := [2]domain.ID{account, id}
	c.mu.RLock()
	links, ok := c.links[key]
	c.mu.RUnlock()
	if ok {
		return links, nil
	}
	past, err := log.Load(ctx, campaign.Stream(id))
	if err != nil {
		return nil, fmt.Errorf("load campaign %s: %w", id, err)
	}
	for _, e := range past {
		if started, ok := e.Data.(campaign.Started); ok && e.Meta.Account == account {
			c.keep(key, started.Content.Links)
			return started.Content.Links, nil
		}
	}
	return nil, nil
}

func (c *linkCache) keep(key [2]domain.ID, links []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.links == nil || len(c.links) >= maxCached {
		c.links = map[[2]domain.ID][]string{}
	}
	c.links[key] = links
}
