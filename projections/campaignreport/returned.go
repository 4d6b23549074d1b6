package campaignreport

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/event"
)

// What was reported of a recipient: a bit each.
const (
	didBounce   = 1 << iota // for any reason that is not an automatic reply
	bouncedHard             // the bits of kinds are in the order of their counts
	bouncedSoft
	wasBlocked
	didAutoReply
	didComplain
)

var kindBits = map[bounce.Kind]byte{
	bounce.Hard: didBounce | bouncedHard, bounce.Soft: didBounce | bouncedSoft, bounce.Block: didBounce | wasBlocked,
	bounce.AutoReply: didAutoReply,
}

func (p *page) bounced(e *event.Recorded, data bounce.Received) error {
	return p.returned(e, data.Campaign, data.Ordinal, kindBits[data.Kind])
}

func (p *page) complained(e *event.Recorded, data bounce.Complained) error {
	return p.returned(e, data.Campaign, data.Ordinal, didComplain)
}

// returned counts the bits that are new of a campaign's recipient.
func (p *page) returned(e *event.Recorded, id domain.ID, ordinal int, bits byte) error {
	if id.IsZero() { // of a message outside every campaign
		return nil
	}
	r, err := p.report(e, id)
	if err != nil {
		return err
	}
	b, err := p.octet(id, noReport, ordinal)
	if err != nil {
		return err
	}
	for i := range complainedCount - bouncedCount + 1 {
		if bit := byte(1 << i); bits&bit != 0 && *b&bit == 0 {
			r.count[bouncedCount+i]++
		}
	}
	*b |= bits
	return nil
}
