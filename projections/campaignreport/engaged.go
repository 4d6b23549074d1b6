package campaignreport

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/event"
)

// A recipient's byte: how far they have come (delivery.Standing), and what they did.
const (
	standingMask = 7
	didOpen      = 1 << 3
	humanOpen    = 1 << 4 // no sign of a machine is known
	didClick     = 1 << 5
	humanClick   = 1 << 6
	didLeave     = 1 << 7
)

func (p *page) opened(e *event.Recorded, data engagement.Opened) error {
	hour := hourOpens
	if data.Machine != engagement.MaybeHuman {
		hour = hourMachineOpens
		if err := p.because(data.Campaign, machineOpen, string(data.Machine)); err != nil {
			return err
		}
	}
	err := p.hit(e, data.Campaign, data.Ordinal, data.Machine, opensCount, didOpen, humanOpen)
	return p.hourly(e, data.Campaign, hour, 1, err)
}

func (p *page) clicked(e *event.Recorded, data engagement.Clicked) error {
	hour := hourClicks
	if data.Machine != engagement.MaybeHuman {
		hour = hourMachineClicks
		if err := p.because(data.Campaign, machineClick, string(data.Machine)); err != nil {
			return err
		}
	}
	if err := p.followed(data); err != nil {
		return err
	}
	err := p.hit(e, data.Campaign, data.Ordinal, data.Machine, clicksCount, didClick, humanClick)
	return p.hourly(e, data.Campaign, hour, 1, err)
}

// hit counts a hit in the four counts from at on (Hits), people by their bits.
func (p *page) hit(e *event.Recorded, id domain.ID, ordinal int, m engagement.Machine, at int, any, human byte) error {
	r, err := p.report(e, id)
	if err != nil {
		return err
	}
	b, err := p.recipient(id, ordinal)
	if err != nil {
		return err
	}
	countHit((*[4]int64)(r.count[at:at+4]), b, m, any, human)
	return nil
}

func countHit(count *[4]int64, bits *byte, m engagement.Machine, any, human byte) {
	count[0]++
	if *bits&any == 0 {
		*bits |= any
		count[2]++
	}
	if m != engagement.MaybeHuman {
		return
	}
	count[1]++
	if *bits&human == 0 {
		*bits |= human
		count[3]++
	}
}

// followed counts a click for its link.
func (p *page) followed(data engagement.Clicked) error {
	l, err := p.link(data.Campaign, data.Link)
	if err != nil {
		return err
	}
	b, shift, err := p.follower(data.Campaign, data.Link, data.Ordinal)
	if err != nil {
		return err
	}
	bits := *b >> shift & 3
	countHit(&l.clicks, &bits, data.Machine, 1, 2)
	*b |= bits << shift
	return nil
}

func (p *page) unsubscribed(e *event.Recorded, data engagement.Unsubscribed) error {
	r, err := p.report(e, data.Campaign)
	if err != nil {
		return err
	}
	b, err := p.recipient(data.Campaign, data.Ordinal)
	if err != nil || *b&didLeave != 0 {
		return err
	}
	*b |= didLeave
	r.count[unsubscribedCount]++
	return p.hourly(e, data.Campaign, hourUnsubscribed, 1, nil)
}
