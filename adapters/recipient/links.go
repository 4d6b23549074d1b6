package recipient

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

// maxCached is how many campaigns' links are kept at hand.
const maxCached = 1000

// linkCache keeps where the links of started campaigns lead: they never change.
type linkCache struct {
	mu      sync.RWMutex
	targets map[[2]domain.ID][]string
}

// of returns the targets of the campaign's links; none when it has not started, or is not the account's.
func (c *linkCache) of(ctx context.Context, log commands.Log, account, id domain.ID) ([]string, error) {
	key := [2]domain.ID{account, id}
	c.mu.RLock()
	targets, ok := c.targets[key]
	c.mu.RUnlock()
	if ok {
		return targets, nil
	}
	past, err := log.Load(ctx, campaign.Stream(id))
	if err != nil {
		return nil, fmt.Errorf("load campaign %s: %w", id, err)
	}
	for _, e := range past {
		if started, ok := e.Data.(campaign.Started); ok && e.Meta.Account == account {
			targets := make([]string, len(started.Content.Links))
			for i, link := range started.Content.Links {
				targets[i] = target(link)
			}
			c.keep(key, targets)
			return targets, nil
		}
	}
	return nil, nil
}

func (c *linkCache) keep(key [2]domain.ID, targets []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.targets == nil || len(c.targets) >= maxCached {
		c.targets = map[[2]domain.ID][]string{}
	}
	c.targets[key] = targets
}

// target is a link as Location has it (RFC 9110, section 10.2.2), where URIs are
// ASCII; "" when it does not lead to a web page.
func target(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	var escaped strings.Builder
	for i := range len(link) {
		if c := link[i]; c < utf8.RuneSelf {
			escaped.WriteByte(c)
		} else {
			fmt.Fprintf(&escaped, "%%%02X", c)
		}
	}
	return escaped.String()
}
