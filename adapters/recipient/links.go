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
	"github.com/cleversender/cleversender/domain/event"
)

// maxCached is how many mailings are kept at hand.
const maxCached = 1000

// A mailing is what a campaign began with: that never changes.
type mailing struct {
	started event.Position
	targets []string // where its links lead
}

// mailings keeps those asked for lately.
type mailings struct {
	mu  sync.RWMutex
	all map[[2]domain.ID]mailing
}

// of is zero when the campaign has not started, or is not the account's.
func (c *mailings) of(ctx context.Context, log commands.Log, account, id domain.ID) (mailing, error) {
	key := [2]domain.ID{account, id}
	c.mu.RLock()
	m, ok := c.all[key]
	c.mu.RUnlock()
	if ok {
		return m, nil
	}
	past, err := log.Load(ctx, campaign.Stream(id))
	if err != nil {
		return mailing{}, fmt.Errorf("load campaign %s: %w", id, err)
	}
	for _, e := range past {
		if started, ok := e.Data.(campaign.Started); ok && e.Meta.Account == account {
			m := mailing{e.Position, make([]string, len(started.Content.Links))}
			for i, link := range started.Content.Links {
				m.targets[i] = target(link)
			}
			c.keep(key, m)
			return m, nil
		}
	}
	return mailing{}, nil
}

func (c *mailings) keep(key [2]domain.ID, m mailing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil || len(c.all) >= maxCached {
		c.all = map[[2]domain.ID]mailing{}
	}
	c.all[key] = m
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
