package campaignreport

import (
	"slices"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// page is what one page of events touches: each row is read and written once,
// and whatever was touched last is found without looking.
type page struct {
	rows    projections.Rows
	reports map[domain.ID]*report
	chunks  map[chunkKey]*chunk
	links   map[linkKey]*link
	hours   map[hourKey]*[hourCounts]int64
	reasons map[reasonKey]*int64

	report0 *report
	chunk0  *chunk
	hour0   *[hourCounts]int64
	hourAt  hourKey
}

type report struct {
	account, campaign domain.ID
	first, last       int64
	count             [counts]int64
}

type chunkKey struct {
	campaign domain.ID
	link     int // or noLink, or noReport
	index    int
}

const (
	noLink   = -1 // of the recipients
	noReport = -2 // of what was reported of them
)

type chunk struct {
	chunkKey
	bytes []byte
}

type linkKey struct {
	campaign domain.ID
	link     int
}

type link struct {
	url    string
	clicks [4]int64
}

type hourKey struct {
	campaign domain.ID
	start    int64 // Unix seconds
}

type reasonKey struct {
	campaign     domain.ID
	kind, reason string
}

func newPage(rows projections.Rows) *page {
	return &page{
		rows: rows, reports: map[domain.ID]*report{}, chunks: map[chunkKey]*chunk{}, links: map[linkKey]*link{},
		hours: map[hourKey]*[hourCounts]int64{}, reasons: map[reasonKey]*int64{},
	}
}

// report is the campaign's, in which e happened.
func (p *page) report(e *event.Recorded, id domain.ID) (*report, error) {
	r := p.report0
	if r == nil || r.campaign != id {
		var err error
		if r, err = p.findReport(e.Meta.Account, id); err != nil {
			return nil, err
		}
		p.report0 = r
	}
	if r.last = projections.Micros(e.At); r.first == 0 {
		r.first = r.last
	}
	return r, nil
}

func (p *page) findReport(account, id domain.ID) (*report, error) {
	if r := p.reports[id]; r != nil {
		return r, nil
	}
	row, err := p.rows.Get(reports, id[:])
	if err != nil {
		return nil, err
	}
	r := &report{account: account, campaign: id}
	if row != nil {
		r.account, r.first, r.last = row.ID(1), row[2].(int64), row[3].(int64)
		for i := range r.count {
			r.count[i] = row[4+i].(int64)
		}
	}
	p.reports[id] = r
	return r, nil
}

// recipient is a recipient's byte. Nobody has an ordinal below 0.
func (p *page) recipient(id domain.ID, ordinal int) (*byte, error) {
	return p.octet(id, noLink, ordinal)
}

func (p *page) octet(id domain.ID, of, ordinal int) (*byte, error) {
	if ordinal < 0 {
		return new(byte), nil
	}
	c, err := p.chunk(chunkKey{id, of, ordinal / chunkSize})
	if err != nil {
		return nil, err
	}
	return &c.bytes[ordinal%chunkSize], nil
}

// follower is the byte that holds two bits for a recipient and a link, and how far up they are.
func (p *page) follower(id domain.ID, link, ordinal int) (b *byte, shift int, err error) {
	if ordinal < 0 || link < 0 {
		return new(byte), 0, nil
	}
	const each = 4 * chunkSize
	c, err := p.chunk(chunkKey{id, link, ordinal / each})
	if err != nil {
		return nil, 0, err
	}
	return &c.bytes[ordinal%each/4], ordinal % 4 * 2, nil
}

func (p *page) chunk(key chunkKey) (*chunk, error) {
	if p.chunk0 != nil && p.chunk0.chunkKey == key {
		return p.chunk0, nil
	}
	c := p.chunks[key]
	if c == nil {
		row, err := p.rows.Get(key.table(), key.columns()...)
		if err != nil {
			return nil, err
		}
		c = &chunk{key, make([]byte, chunkSize)}
		if row != nil {
			copy(c.bytes, row.Bytes(len(row)-1))
		}
		p.chunks[key] = c
	}
	p.chunk0 = c
	return c, nil
}

func (k *chunkKey) table() *projections.Table {
	switch k.link {
	case noLink:
		return recipients
	case noReport:
		return returned
	}
	return linkPeople
}

func (k *chunkKey) columns() []any {
	if k.link < 0 {
		return []any{k.campaign[:], int64(k.index)}
	}
	return []any{k.campaign[:], int64(k.link), int64(k.index)}
}

func (p *page) link(id domain.ID, index int) (*link, error) {
	key := linkKey{id, index}
	if l := p.links[key]; l != nil {
		return l, nil
	}
	row, err := p.rows.Get(links, id[:], int64(index))
	if err != nil {
		return nil, err
	}
	l := &link{}
	if row != nil {
		l.url = row.Text(2)
		for i := range l.clicks {
			l.clicks[i] = row[3+i].(int64)
		}
	}
	p.links[key] = l
	return l, nil
}

// hourly counts n in the hour of e, unless what came before went wrong.
func (p *page) hourly(e *event.Recorded, id domain.ID, what, n int, err error) error {
	if err != nil {
		return err
	}
	at := e.At.Unix()
	key := hourKey{id, at - at%3600}
	if p.hour0 != nil && p.hourAt == key {
		p.hour0[what] += int64(n)
		return nil
	}
	h := p.hours[key]
	if h == nil {
		row, err := p.rows.Get(hours, id[:], key.start)
		if err != nil {
			return err
		}
		h = &[hourCounts]int64{}
		if row != nil {
			for i := range h {
				h[i] = row[2+i].(int64)
			}
		}
		p.hours[key] = h
	}
	p.hour0, p.hourAt = h, key
	h[what] += int64(n)
	return nil
}

// because counts a reason.
func (p *page) because(id domain.ID, kind, reason string) error {
	key := reasonKey{id, kind, reason}
	n := p.reasons[key]
	if n == nil {
		row, err := p.rows.Get(reasons, id[:], kind, reason)
		if err != nil {
			return err
		}
		n = new(int64)
		if row != nil {
			*n = row[3].(int64)
		}
		p.reasons[key] = n
	}
	*n++
	return nil
}

func (p *page) flush() error {
	for id, r := range p.reports {
		row := projections.Row{id[:], r.account[:], r.first, r.last}
		for _, n := range r.count {
			row = append(row, n)
		}
		if err := p.rows.Put(reports, row); err != nil {
			return err
		}
	}
	for key, c := range p.chunks {
		if err := p.rows.Put(key.table(), append(slices.Clip(key.columns()), c.bytes)); err != nil {
			return err
		}
	}
	for key, l := range p.links {
		row := projections.Row{key.campaign[:], int64(key.link), l.url, l.clicks[0], l.clicks[1], l.clicks[2], l.clicks[3]}
		if err := p.rows.Put(links, row); err != nil {
			return err
		}
	}
	for key, h := range p.hours {
		row := projections.Row{key.campaign[:], key.start}
		for _, n := range h {
			row = append(row, n)
		}
		if err := p.rows.Put(hours, row); err != nil {
			return err
		}
	}
	for key, n := range p.reasons {
		if err := p.rows.Put(reasons, projections.Row{key.campaign[:], key.kind, key.reason, *n}); err != nil {
			return err
		}
	}
	return nil
}
