package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/projections/audience"
)

// A dataset is one account with a list of people and a campaign that was sent
// to them: 3 events a person, one more for every hundred sends, and opens and
// clicks of some.
type dataset struct {
	engine   *engine.Engine
	account  domain.ID
	list     domain.ID
	campaign domain.ID
	people   []domain.ID // in ordinal order
	segments int
}

const (
	segmentSize = 1000
	links       = 3
)

// send writes a whole campaign's events as the sending worker would: planned,
// claimed, intended and accepted.
func (d *dataset) send(ctx context.Context) error {
	d.campaign = engine.NewID()
	settings := campaign.Settings{
		Name: "Bench", Lists: []domain.ID{d.list}, Template: engine.NewID(), FromName: "Bench", FromEmail: "news@example.org",
		Tracking: campaign.Tracking{Opens: true, Clicks: true},
	}
	content := campaign.Content{TemplateRevision: 1, SHA256: strings.Repeat("0", 64)}
	for i := range links {
		content.Links = append(content.Links, fmt.Sprintf("https://example.org/%d", i))
	}
	if err := d.write(ctx, campaign.Stream(d.campaign), 0,
		campaign.Drafted{Settings: settings}, campaign.Started{Content: content}); err != nil {
		return err
	}
	worker := engine.NewID()
	for first := 0; first < len(d.people); first += segmentSize {
		people := d.people[first:min(first+segmentSize, len(d.people))]
		if err := d.segment(ctx, worker, first, people); err != nil {
			return err
		}
		d.segments++
	}
	return d.write(ctx, campaign.Stream(d.campaign), 2,
		campaign.AudienceFrozen{Recipients: len(d.people), Segments: d.segments, SHA256: strings.Repeat("0", 64)},
		campaign.Finished{Sent: len(d.people)})
}

func (d *dataset) segment(ctx context.Context, worker domain.ID, first int, people []domain.ID) error {
	stream := delivery.Stream(d.campaign, d.segments)
	data := []any{delivery.Planned{Campaign: d.campaign, First: first, Subjects: people}, delivery.Claimed{Worker: worker}}
	for chunk := range slices.Chunk(people, 200) {
		intended := delivery.Intended{Campaign: d.campaign, Subjects: chunk, Consents: make([]event.Position, len(chunk))}
		for range chunk {
			intended.Ordinals = append(intended.Ordinals, first+len(intended.Ordinals))
		}
		first += len(chunk)
		data = append(data, intended, delivery.Accepted{Campaign: d.campaign, Subjects: chunk, Ordinals: intended.Ordinals, Code: 250})
	}
	return d.write(ctx, stream, 0, data...)
}

// engage has 6 in 10 people open and 2 in 10 click, in random order.
func (d *dataset) engage(ctx context.Context) error {
	dice := rand.New(rand.NewPCG(7, uint64(len(d.people))))
	stream := engagement.Stream(d.campaign, engine.NewID())
	var hits []any
	written := uint64(0)
	flush := func() error {
		if err := d.write(ctx, stream, written, hits...); err != nil {
			return err
		}
		written += uint64(len(hits))
		hits = hits[:0]
		return nil
	}
	for range len(d.people) * 8 / 10 {
		ordinal := dice.IntN(len(d.people))
		ip := personal.Of(fmt.Sprintf("192.0.2.%d", dice.IntN(256)))
		client := personal.Of("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0")
		if dice.IntN(4) > 0 {
			hits = append(hits, engagement.Opened{Person: d.people[ordinal], Campaign: d.campaign, Ordinal: ordinal, IP: ip, Client: client})
		} else {
			hits = append(hits, engagement.Clicked{Person: d.people[ordinal], Campaign: d.campaign, Ordinal: ordinal, Link: dice.IntN(links), IP: ip, Client: client})
		}
		if len(hits) == 500 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(hits) == 0 {
		return nil
	}
	return flush()
}

func (d *dataset) drafts(data []any) []event.Draft {
	out := make([]event.Draft, len(data))
	for i, e := range data {
		out[i] = event.Draft{ID: engine.NewID(), Meta: event.Meta{Account: d.account}, Data: e}
		if p, ok := e.(commands.Personal); ok {
			out[i].Meta.Subject = p.About()
		}
	}
	return out
}

func (d *dataset) write(ctx context.Context, stream string, expect uint64, data ...any) error {
	return d.bulk(ctx, []eventlog.Write{{Stream: stream, Expect: expect, Events: d.drafts(data)}})
}

func (d *dataset) bulk(ctx context.Context, writes []eventlog.Write) error {
	_, errs := d.engine.Journal.AppendBulk(ctx, writes)
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("write the data to measure on: %w", err)
		}
	}
	return nil
}

// members reads the list's people, once the projections have caught up.
func (d *dataset) members(ctx context.Context) error {
	if err := d.engine.Settled(ctx); err != nil {
		return err
	}
	reader := d.engine.Models.Reader(audience.Projection.Name)
	var after domain.ID
	for {
		page, err := audience.Members(ctx, reader, d.list, after, 5000)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, m := range page {
			d.people = append(d.people, m.Person)
		}
		after = page[len(page)-1].Person
	}
}
