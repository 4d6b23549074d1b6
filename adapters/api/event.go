package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

// Event is an event of the log. Personal values in Data show as "[personal]",
// or in the clear when asked for, or as "[erased]".
type Event struct {
	Position    uint64         `json:"position"`
	ID          domain.ID      `json:"id"`
	Stream      string         `json:"stream"`
	Revision    uint64         `json:"revision"`
	Type        string         `json:"type"`
	At          time.Time      `json:"at"`
	Account     domain.ID      `json:"account"`
	Subject     domain.ID      `json:"subject,omitzero"`
	Actor       domain.ID      `json:"actor,omitzero"`
	Correlation domain.ID      `json:"correlation,omitzero"`
	Causation   domain.ID      `json:"causation,omitzero"`
	Data        map[string]any `json:"data" nullable:"false"`
}

// EventPage is a run of the log. Next is where to go on from, also when the
// page is empty: everything before it has been seen.
type EventPage struct {
	Items []Event `json:"items" nullable:"false"`
	Next  string  `json:"next"`
	Head  uint64  `json:"head" doc:"position of the last event of the log"`
}

// maxLogPages bounds how much of the log one call looks through.
const maxLogPages = 20

var (
	errUnknownType = domain.Refuse("unknown_event_type", "there is no such type of event")
	errRevealAll   = domain.Refuse("forbidden", "personal values of other accounts are not shown to the operator")
)

// LogQuery is the input of a look into the log.
type LogQuery struct {
	Paged
	Types  []string `query:"types" maxItems:"50" doc:"stored names; all when left out"`
	Reveal bool     `query:"reveal" doc:"show personal values in the clear"`
	All    bool     `query:"all" doc:"of every account; takes a token of the operator"`
}

func (s *Server) eventRoutes() {
	op := route(http.MethodGet, "/events", "read-events", "operation", "Read the log, oldest first")
	op.Security[0][bearer] = []string{string(account.ScopeAccount), string(account.ScopeOperator)}
	add(s, op, s.events)
}

func (s *Server) events(ctx context.Context, in *LogQuery) (*Shown[EventPage], error) {
	after, err := in.afterNumber()
	if err != nil {
		return nil, err
	}
	who := callerOf(ctx)
	switch {
	case in.All && !who.may(account.ScopeOperator):
		return nil, errNoScope
	case in.All && in.Reveal:
		return nil, errRevealAll
	case !in.All && !who.may(account.ScopeAccount):
		return nil, errNoScope
	}
	for _, name := range in.Types {
		if _, ok := catalog.All.Types()[name]; !ok {
			return nil, errUnknownType
		}
	}
	found, next, err := s.look(ctx, event.Position(after), in, who.account)
	if err != nil {
		return nil, err
	}
	if in.Reveal {
		if err := s.deps.Log.Open(ctx, found); err != nil {
			return nil, err
		}
	}
	out := EventPage{Items: make([]Event, len(found)), Next: number(int64(next))}
	for i, e := range found {
		if out.Items[i], err = showEvent(e); err != nil {
			return nil, err
		}
	}
	head, err := s.deps.Log.Head(ctx)
	out.Head = uint64(head)
	return &Shown[EventPage]{out}, err
}

// look reads until the page is full, the log ends, or enough has been looked through.
func (s *Server) look(ctx context.Context, after event.Position, in *LogQuery, own domain.ID) ([]event.Recorded, event.Position, error) {
	head, err := s.deps.Log.Head(ctx)
	if err != nil || after >= head {
		return nil, after, err
	}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var found []event.Recorded
	next, pages := after, 0
	for page, err := range s.deps.Log.Follow(reading, after, slices.Clone(in.Types), 500) {
		if err != nil {
			return nil, after, err
		}
		for _, e := range page.Events {
			if !in.All && e.Meta.Account != own {
				continue
			}
			if found = append(found, e); len(found) == in.Limit {
				return found, e.Position, nil
			}
		}
		if next = max(next, page.Next); next >= head {
			break
		}
		if pages++; pages == maxLogPages {
			break
		}
	}
	return found, next, ctx.Err()
}

func showEvent(e event.Recorded) (Event, error) {
	data, err := showData(e)
	return Event{
		Position: uint64(e.Position), ID: e.ID, Stream: e.Stream, Revision: e.Revision, Type: e.Type, At: e.At,
		Account: e.Meta.Account, Subject: e.Meta.Subject, Actor: e.Meta.Actor,
		Correlation: e.Meta.Correlation, Causation: e.Meta.Causation, Data: data,
	}, err
}

// showData is the event's fields by their stored names.
func showData(e event.Recorded) (map[string]any, error) {
	t, err := catalog.All.TypeOf(e.Data)
	if err != nil {
		return nil, err
	}
	shown := map[string]any{}
	bare, err := t.Visit(e.Data, func(f event.Field, v personal.Value) error {
		switch v := v.(type) {
		case *personal.Text:
			shown[f.Name] = showText(*v)
			*v = personal.Text{}
		case *personal.Fields:
			shown[f.Name] = showFields(*v)
			*v = personal.Fields{}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(bare)
	if err != nil {
		return nil, err
	}
	data := map[string]any{}
	numbers := json.NewDecoder(bytes.NewReader(raw))
	numbers.UseNumber() // a float would round positions
	if err := numbers.Decode(&data); err != nil {
		return nil, err
	}
	for name, value := range shown {
		data[name] = value
	}
	return data, nil
}

func showText(t personal.Text) any {
	value, ok := t.Reveal()
	switch {
	case ok:
		return value
	case t.IsErased():
		return "[erased]"
	default:
		return t.String()
	}
}

func showFields(f personal.Fields) any {
	values, ok := f.Reveal()
	switch {
	case ok && values == nil:
		return map[string]string{}
	case ok:
		return values
	case f.IsErased():
		return "[erased]"
	default:
		return f.String()
	}
}
