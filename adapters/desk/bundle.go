package desk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// Bundle is what an access request gets: a JSON document, the same bytes for
// the same person and position, until the person is erased.
type Bundle struct {
	JSON   []byte
	SHA256 string // hex
	Events int    // that concern the person
}

// Format is the document's "format"; the number grows when a reader would have to change.
const Format = "cleversender-access-bundle/1"

// document is the bundle's shape: API.
type document struct {
	Format     string     `json:"format"`
	Account    named      `json:"account"` // the controller (GDPR Art. 4(7))
	Person     person     `json:"person"`
	UpTo       upTo       `json:"up_to"`
	Processing processing `json:"processing"` // Art. 15(1)(a) to (h)
	Sources    []source   `json:"sources"`    // Art. 15(1)(g)
	Consent    []answer   `json:"consent"`
	Campaigns  []named    `json:"campaigns"`
	Timeline   []entry    `json:"timeline"` // every event that concerns the person, oldest first
}

type named struct {
	ID   domain.ID `json:"id"`
	Name string    `json:"name"`
}

type upTo struct {
	Position event.Position `json:"position"` // of the log
	LastAt   time.Time      `json:"last_event_at"`
}

type person struct {
	ID         domain.ID       `json:"id"`
	Erased     bool            `json:"erased"`
	Email      string          `json:"email"`
	Name       string          `json:"name"`
	Attributes json.RawMessage `json:"attributes"`
	Lists      []named         `json:"lists"`
	// Holds are what keeps mail from the person, oldest first.
	Holds []subscriber.Hold `json:"holds"`
}

type source struct {
	At     time.Time         `json:"at"`
	Event  domain.ID         `json:"event"`
	Source subscriber.Source `json:"source"`
	Import domain.ID         `json:"import"`
	Row    int               `json:"row"`
}

// answer is where one purpose stands, as of the bundle's position.
type answer struct {
	Purpose string `json:"purpose"`
	List    *named `json:"list"`
	Status  string `json:"status"`
	InForce bool   `json:"in_force"`
}

// Bundle makes the bundle of a person as of a position of the log, which the
// read models have passed. It refuses with not_found when the account knows no
// such person.
func (d *Desk) Bundle(ctx context.Context, account, of domain.ID, at event.Position) (Bundle, error) {
	positions, err := d.o.Subjects(ctx, of, at)
	if err != nil {
		return Bundle{}, fmt.Errorf("subject index: %w", err)
	}
	events, err := d.o.Journal.ReadFor(ctx, of, positions)
	if err != nil {
		return Bundle{}, err
	}
	if len(events) == 0 {
		return Bundle{}, commands.ErrNotFound
	}
	for _, e := range events {
		if e.Meta.Account != account {
			return Bundle{}, commands.ErrNotFound
		}
	}
	if err := d.o.Journal.Open(ctx, events); err != nil {
		return Bundle{}, err
	}
	names := &names{journal: d.o.Journal, upTo: at, lists: map[domain.ID]listed{}, campaigns: map[domain.ID]campaigned{}, seen: []named{}}
	doc := document{
		Format: Format, Processing: articleFifteen,
		Person: person{ID: of, Attributes: json.RawMessage("{}"), Lists: []named{}, Holds: []subscriber.Hold{}},
		UpTo:   upTo{at, events[len(events)-1].At}, Sources: []source{}, Consent: []answer{}, Campaigns: []named{},
	}
	if doc.Account, err = names.account(ctx, account); err != nil {
		return Bundle{}, err
	}
	if err := d.fold(ctx, &doc, events, names); err != nil {
		return Bundle{}, err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return Bundle{}, err
	}
	sum := sha256.Sum256(out.Bytes())
	return Bundle{out.Bytes(), hex.EncodeToString(sum[:]), len(events)}, nil
}

func (d *Desk) fold(ctx context.Context, doc *document, events []event.Recorded, names *names) error {
	var state subscriber.Subscriber
	for _, e := range events {
		if own, ok := e.Data.(subscriber.Event); ok {
			state = state.Evolve(own)
		}
		switch data := e.Data.(type) {
		case subscriber.Added:
			doc.Sources = append(doc.Sources, source{e.At, e.ID, data.Source, data.Import, data.Row})
		case subscriber.Rectified:
			doc.Sources = append(doc.Sources, source{At: e.At, Event: e.ID, Source: data.Source})
		}
		entry, err := d.entry(ctx, e, names)
		if err != nil {
			return fmt.Errorf("event %s: %w", e.ID, err)
		}
		doc.Timeline = append(doc.Timeline, entry)
	}
	doc.Person.Erased = state.Erased
	doc.Person.Holds = append(doc.Person.Holds, state.Standing...)
	doc.Person.Email, _ = state.Email.Reveal()
	doc.Person.Name, _ = state.Name.Reveal()
	if raw := shown(&state.Attributes); raw != nil {
		doc.Person.Attributes = raw
	}
	for _, id := range state.Lists {
		list, err := names.list(ctx, id)
		if err != nil {
			return err
		}
		doc.Person.Lists = append(doc.Person.Lists, list.named)
	}
	for _, a := range state.Consents {
		out := answer{Purpose: string(a.Purpose), Status: string(a.Status)}
		double := false
		if !a.List.IsZero() {
			list, err := names.list(ctx, a.List)
			if err != nil {
				return err
			}
			out.List, double = &list.named, list.doubleOptIn
		}
		out.InForce = a.InForce(double)
		doc.Consent = append(doc.Consent, out)
	}
	doc.Campaigns = names.seen
	return nil
}

// entry is one event, its personal values open.
type entry struct {
	Position event.Position             `json:"position"`
	Event    domain.ID                  `json:"event"`
	At       time.Time                  `json:"at"`
	Type     string                     `json:"type"`
	Actor    domain.ID                  `json:"actor"`
	Link     string                     `json:"link,omitempty"` // target of the link that was clicked
	Data     map[string]json.RawMessage `json:"data"`
}

func (d *Desk) entry(ctx context.Context, e event.Recorded, names *names) (entry, error) {
	out := entry{Position: e.Position, Event: e.ID, At: e.At, Type: e.Type, Actor: e.Meta.Actor}
	t, err := d.o.Catalog.TypeOf(e.Data)
	if err != nil {
		return out, err
	}
	open := map[string]json.RawMessage{}
	plain, err := t.Visit(e.Data, func(f event.Field, v personal.Value) error {
		open[f.Name] = shown(v)
		switch v := v.(type) { // what is left marshals as it is
		case *personal.Text:
			*v = personal.Text{}
		case *personal.Fields:
			*v = personal.Fields{}
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	raw, err := json.Marshal(plain)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(raw, &out.Data); err != nil {
		return out, err
	}
	for name, value := range open {
		out.Data[name] = value
	}
	out.Link, err = names.note(ctx, e.Data)
	return out, err
}

// shown is a personal value for the person it belongs to; null when erased.
func shown(v personal.Value) json.RawMessage {
	var value any
	switch v := v.(type) {
	case *personal.Text:
		if text, ok := v.Reveal(); ok {
			value = text
		}
	case *personal.Fields:
		if fields, ok := v.Reveal(); ok && fields != nil {
			value = fields
		} else if ok {
			value = map[string]string{}
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value) // strings always encode
	return bytes.TrimSpace(out.Bytes())
}
