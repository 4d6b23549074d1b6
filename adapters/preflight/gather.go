package preflight

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

// gather finds out what the rules look at, the DNS beside the audience.
func (c *Checker) gather(ctx context.Context, account domain.ID, s campaign.Settings, fetch bool) (*facts, error) {
	f := &facts{
		settings: s, from: hostOf(s.FromEmail), replies: hostOf(cmp.Or(s.ReplyTo, s.FromEmail)),
		base: c.deps.BaseURL, sends: c.deps.Sends, fetch: fetch,
	}
	f.envelope = cmp.Or(c.deps.BounceDomain, f.from)
	var err error
	if c.deps.Keys != nil && f.from != "" {
		if f.keys, err = c.deps.Keys(ctx, account, f.from); err != nil {
			return nil, fmt.Errorf("DKIM keys: %w", err)
		}
	}
	var both errgroup.Group
	both.Go(func() error {
		bounded, cancel := context.WithTimeout(ctx, dnsTime)
		defer cancel()
		f.lookUp(bounded, c.deps.Resolver)
		return nil
	})
	both.Go(func() error { return c.inside(ctx, account, f) })
	if err := both.Wait(); err != nil {
		return nil, err
	}
	if fetch && f.broken == nil {
		c.fetch(ctx, f)
	}
	return f, nil
}

// inside is what this server knows by itself.
func (c *Checker) inside(ctx context.Context, account domain.ID, f *facts) (err error) {
	bounded, cancel := context.WithTimeout(ctx, viewTime)
	defer cancel()
	if err := c.deps.Audience.Current(bounded); err != nil {
		if bounded.Err() == nil || ctx.Err() != nil {
			return fmt.Errorf("wait for the audience: %w", err)
		}
		f.stale = true
	}
	if f.lists, err = c.deps.Audience.Lists(ctx, account, f.settings.Lists); err != nil {
		return fmt.Errorf("read the lists: %w", err)
	}
	f.letter, err = c.deps.Letter(ctx, account, f.settings)
	var refused domain.Refusal
	if errors.As(err, &refused) {
		f.broken = refused
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	if err := c.look(ctx, account, f); err != nil {
		return fmt.Errorf("look at a sample: %w", err)
	}
	return nil
}
