// Package campaignreport answers what became of a campaign: how far each
// recipient has come, who opened and clicked, when, and why not.
//
// One byte a recipient says how far they have come and what they did, found by
// their ordinal in the campaign: the report names nobody, so it has nothing to
// erase. Counts of people come from those bytes, so that a fact that is
// recorded twice counts once.
package campaignreport

import (
	"slices"
	"strconv"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// Projection is to be hosted.
var Projection = projections.Projection{
	Name: "campaign_report", Version: 4,
	Types: []string{
		"campaign.started", "campaign.audience_frozen", "segment.planned", "segment.claimed", "segment.reopened",
		"sends.intended", "send.withheld", "sends.accepted", "send.deferred", "send.failed",
		"message.opened", "link.clicked", "message.unsubscribed",
		"bounce.received", "complaint.received",
	},
	Tables: []*projections.Table{reports, recipients, returned, segments, links, linkPeople, hours, reasons},
	Fold:   fold,
}

func fold(rows projections.Rows, events []event.Recorded) error {
	p := newPage(rows)
	for i := range events {
		if err := p.apply(&events[i]); err != nil {
			return err
		}
	}
	return p.flush()
}

func (p *page) apply(e *event.Recorded) error {
	switch data := e.Data.(type) {
	case campaign.Started:
		return p.started(e, data)
	case campaign.AudienceFrozen:
		id, err := projections.StreamID(e.Stream)
		if err != nil {
			return err
		}
		r, err := p.report(e, id)
		if err == nil {
			r.count[recipientsCount] = int64(data.Recipients)
		}
		return err
	case delivery.Planned:
		return p.planned(e, data)
	case delivery.Claimed:
		return p.claimed(e, data)
	case delivery.Reopened:
		return p.reopened(e)
	case delivery.Intended:
		return p.moved(e, data.Campaign, delivery.Pending, data.Ordinals...)
	case delivery.Withheld:
		if err := p.because(data.Campaign, withheld, string(data.Reason)); err != nil {
			return err
		}
		return p.moved(e, data.Campaign, delivery.Excluded, data.Ordinal)
	case delivery.Accepted:
		return p.hourly(e, data.Campaign, hourSent, len(data.Ordinals), p.moved(e, data.Campaign, delivery.Sent, data.Ordinals...))
	case delivery.Failed:
		if err := p.because(data.Campaign, failed, string(data.Reason)); err != nil {
			return err
		}
		return p.hourly(e, data.Campaign, hourFailed, 1, p.moved(e, data.Campaign, delivery.Undelivered, data.Ordinal))
	case delivery.Deferred:
		return p.deferred(e, data)
	case engagement.Opened:
		return p.opened(e, data)
	case engagement.Clicked:
		return p.clicked(e, data)
	case engagement.Unsubscribed:
		return p.unsubscribed(e, data)
	case bounce.Received:
		return p.bounced(e, data)
	case bounce.Complained:
		return p.complained(e, data)
	}
	return nil
}

func (p *page) started(e *event.Recorded, data campaign.Started) error {
	id, err := projections.StreamID(e.Stream)
	if err != nil {
		return err
	}
	if _, err := p.report(e, id); err != nil {
		return err
	}
	for i, url := range data.Content.Links {
		l, err := p.link(id, i)
		if err != nil {
			return err
		}
		l.url = url
	}
	return nil
}

func (p *page) planned(e *event.Recorded, data delivery.Planned) error {
	return p.rows.Put(segments, projections.Row{e.Stream, data.Campaign[:], int64(data.First), int64(len(data.Subjects)), []byte{}})
}

// claimed: what another worker intended, and left without a result, is in doubt.
func (p *page) claimed(e *event.Recorded, data delivery.Claimed) error {
	row, err := p.rows.Get(segments, e.Stream)
	if err != nil || row == nil {
		return err
	}
	if worker := row.ID(4); worker == data.Worker {
		return nil
	} else if !worker.IsZero() {
		if err := p.all(e, row, delivery.Pending, delivery.InDoubt); err != nil {
			return err
		}
	}
	row = slices.Clone(row)
	row[4] = data.Worker[:]
	return p.rows.Put(segments, row)
}

// reopened: whoever is in doubt waits again.
func (p *page) reopened(e *event.Recorded) error {
	row, err := p.rows.Get(segments, e.Stream)
	if err != nil || row == nil {
		return err
	}
	return p.all(e, row, delivery.InDoubt, delivery.Waiting)
}

// all moves everybody of a segment from one standing to another.
func (p *page) all(e *event.Recorded, segment projections.Row, from, to delivery.Standing) error {
	id, first, n := segment.ID(1), segment.Int(2), segment.Int(3)
	for ordinal := first; ordinal < first+n; ordinal++ {
		b, err := p.recipient(id, ordinal)
		if err != nil {
			return err
		}
		if delivery.Standing(*b&standingMask) != from {
			continue
		}
		if err := p.moved(e, id, to, ordinal); err != nil {
			return err
		}
	}
	return nil
}

// moved says how far recipients have come now.
func (p *page) moved(e *event.Recorded, id domain.ID, to delivery.Standing, ordinals ...int) error {
	r, err := p.report(e, id)
	if err != nil {
		return err
	}
	for _, ordinal := range ordinals {
		b, err := p.recipient(id, ordinal)
		if err != nil {
			return err
		}
		r.count[standingCount+int(*b&standingMask)]--
		r.count[standingCount+int(to)]++
		*b = *b&^standingMask | byte(to)
	}
	return nil
}

func (p *page) deferred(e *event.Recorded, data delivery.Deferred) error {
	to := delivery.Waiting // the message never left
	if data.Code != 0 {
		to = delivery.Again
		r, err := p.report(e, data.Campaign)
		if err != nil {
			return err
		}
		r.count[deferralsCount]++
		code := strconv.Itoa(data.Code)
		if data.Enhanced != "" {
			code += " " + data.Enhanced
		}
		if err := p.because(data.Campaign, deferred, code); err != nil {
			return err
		}
	}
	return p.moved(e, data.Campaign, to, data.Ordinal)
}
