// Package projectiontest makes random histories, for the properties that every
// projection has to have.
package projectiontest

import (
	"encoding/binary"
	"time"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/signing"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/domain/template"
)

// ID is the n-th id of a kind of things.
func ID(kind byte, n int) domain.ID {
	var id domain.ID
	id[0], id[6], id[8] = kind, 0x70, 0x80
	binary.BigEndian.PutUint32(id[12:], uint32(n)+1)
	return id
}

// Kinds of ids.
const (
	Account = iota + 1
	List
	Person
	Template
	Campaign
	Import
	Request
	Token
	Event
	Worker
	Message
)

// History is events as a log would give them back, sealed.
type History struct {
	Events    []event.Recorded
	revisions map[string]uint64
	at        time.Time
}

// Add appends an event of an account to a stream, gap positions after the last.
func (h *History) Add(gap int, acct domain.ID, stream string, subject domain.ID, data any) {
	if h.revisions == nil {
		h.revisions, h.at = map[string]uint64{}, time.Date(2026, 5, 4, 11, 58, 0, 0, time.UTC)
	}
	position := event.Position(gap)
	if n := len(h.Events); n > 0 {
		position += h.Events[n-1].Position
	}
	h.revisions[stream]++
	h.at = h.at.Add(time.Duration(gap) * 7 * time.Second)
	h.Events = append(h.Events, event.Recorded{
		Stream: stream, Revision: h.revisions[stream], Position: position, ID: ID(Event, len(h.Events)),
		Type: catalog.All.Name(data), At: h.at, Meta: event.Meta{Account: acct, Subject: subject}, Data: data,
	})
}

// Random draws a history of everything that the engine records. It keeps the
// rules that commands keep (who is erased stays erased, streams begin with
// their first event), and few others: a fold has to stand any history.
func Random(t *rapid.T) []event.Recorded {
	return random(t, func(d *draw) []func() {
		return []func(){
			d.tokens, d.lists, d.people, d.people, d.consents, d.consents, d.holds, d.templates, d.imports,
			d.campaigns, d.campaigns, d.sends, d.sends, d.sends, d.engagement, d.engagement, d.bounces, d.requests,
			d.messages, d.messages, d.messages, d.signing,
		}
	})
}

// RandomPeople draws a history of people, what they allow, and what holds mail back.
func RandomPeople(t *rapid.T) []event.Recorded {
	return random(t, func(d *draw) []func() { return []func(){d.people, d.consents, d.consents, d.holds} })
}

func random(t *rapid.T, kinds func(*draw) []func()) []event.Recorded {
	d := &draw{T: t, erased: map[domain.ID]bool{}}
	all := kinds(d)
	for range rapid.IntRange(1, 60).Draw(t, "events") {
		d.gap = rapid.SampledFrom([]int{1, 1, 1, 2, 700}).Draw(t, "gap")
		d.account = ID(Account, d.n(2))
		rapid.SampledFrom(all).Draw(t, "what")()
	}
	return d.Events
}

type draw struct {
	*rapid.T
	History
	gap     int
	account domain.ID
	erased  map[domain.ID]bool
}

func (d *draw) n(n int) int { return rapid.IntRange(0, n-1).Draw(d.T, "n") }

// of draws the n-th thing of a kind; what belongs to an account differs by account.
func (d *draw) of(kind byte, n int) domain.ID { return ID(kind, d.n(n)*2+int(d.account[15])%2) }

func (d *draw) sealed() personal.Text {
	return personal.SealedText(rapid.SliceOfN(rapid.Byte(), 28, 40).Draw(d.T, "sealed"))
}

func (d *draw) add(stream string, data any) { d.Add(d.gap, d.account, stream, domain.ID{}, data) }

func (d *draw) has(stream string) bool { return d.revisions[stream] > 0 }

func (d *draw) tokens() {
	stream, token := account.Stream(d.account), d.of(Token, 3)
	switch d.n(3) {
	case 0:
		d.add(stream, account.Created{Name: "account"})
	case 1:
		d.add(stream, account.TokenIssued{Token: token, Hash: token.String(), Label: "label", Scopes: account.Scopes})
	case 2:
		d.add(stream, account.TokenRevoked{Token: token})
	}
}

func (d *draw) lists() {
	id := d.of(List, 2)
	if stream := list.Stream(id); d.has(stream) {
		d.add(stream, list.Archived{})
	} else {
		d.add(stream, list.Created{Name: "list", DoubleOptIn: d.n(2) == 0})
	}
}

func (d *draw) people() {
	id := d.of(Person, 4)
	stream := subscriber.Stream(id)
	if d.erased[id] {
		return
	}
	var data any
	switch kind := d.n(8); {
	case !d.has(stream):
		data = subscriber.Added{Email: d.sealed(), Name: d.sealed(), Source: subscriber.SourceImport}
	case kind < 3:
		data = subscriber.Joined{List: d.of(List, 2)}
	case kind < 5:
		data = subscriber.Rectified{Email: d.sealed(), Source: subscriber.SourceAPI}
	case kind == 5:
		data = subscriber.Erased{Request: d.of(Request, 2)}
		d.erased[id] = true
	default:
		data = consent.Asserted{
			Purposes: []consent.Purpose{consent.Mailing, consent.OpenTracking}, List: d.of(List, 2), Import: d.of(Import, 2),
		}
	}
	d.Add(d.gap, d.account, stream, id, data)
}

func (d *draw) consents() {
	id := d.of(Person, 4)
	stream := subscriber.Stream(id)
	if d.erased[id] || !d.has(stream) {
		return
	}
	purpose := rapid.SampledFrom(append([]consent.Purpose{consent.Mailing, consent.Mailing}, consent.Purposes...)).Draw(d.T, "purpose")
	on := d.of(List, 2)
	d.Add(d.gap, d.account, stream, id, rapid.SampledFrom([]any{
		consent.Requested{Purpose: purpose, List: on},
		consent.Given{Purpose: purpose, List: on},
		consent.Confirmed{Purpose: purpose, List: on},
		consent.Revoked{Purpose: purpose, List: on},
	}).Draw(d.T, "consent"))
}

func (d *draw) holds() {
	id := d.of(Person, 4)
	stream := subscriber.Stream(id)
	if d.erased[id] || !d.has(stream) {
		return
	}
	reason := rapid.SampledFrom(subscriber.Suppressions).Draw(d.T, "reason")
	d.Add(d.gap, d.account, stream, id, rapid.SampledFrom([]any{
		subscriber.Suppressed{Reason: reason, Note: d.sealed()},
		subscriber.Unsuppressed{Reason: reason, Note: d.sealed()},
		subscriber.Restricted{Note: d.sealed()},
		subscriber.RestrictionLifted{InformedAt: d.at, Note: d.sealed()},
		subscriber.Objected{Method: consent.ByForm, IP: d.sealed()},
		subscriber.ObjectionWithdrawn{Method: consent.ByForm, Note: d.sealed()},
	}).Draw(d.T, "hold"))
}

func (d *draw) signing() {
	name, selector := "domain.example", rapid.SampledFrom([]string{"s1", "s2"}).Draw(d.T, "selector")
	d.add(signing.Stream(signing.IDOf(d.account, name)), rapid.SampledFrom([]any{
		signing.KeyCreated{Domain: name, Selector: selector, Algorithm: signing.RSA, PublicKey: "TUlJ"},
		signing.KeyActivated{Selector: selector},
		signing.KeyRetired{Selector: selector},
	}).Draw(d.T, "key"))
}

func (d *draw) templates() {
	id := d.of(Template, 2)
	content := template.Content{Subject: "subject", HTML: rapid.String().Draw(d.T, "html")}
	if stream := template.Stream(id); d.has(stream) {
		d.add(stream, template.Edited{Name: "other", Content: content})
	} else {
		d.add(stream, template.Created{Name: "template", Content: content})
	}
}
