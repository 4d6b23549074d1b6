package api

import (
	"context"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections/persontimeline"
	"github.com/cleversender/cleversender/projections/subjectindex"
)

// TimelineEntry is one thing that happened with a person.
type TimelineEntry struct {
	Position uint64    `json:"position"`
	Event    domain.ID `json:"event"`
	At       time.Time `json:"at"`
	Type     string    `json:"type"`
	What     string    `json:"what"`
	Actor    domain.ID `json:"actor,omitzero"`
	Campaign domain.ID `json:"campaign,omitzero"`
	List     domain.ID `json:"list,omitzero"`
	Link     *int      `json:"link,omitempty" doc:"index into the campaign's links"`
	IP       string    `json:"ip,omitempty"`
	Client   string    `json:"client,omitempty"`
	Reply    string    `json:"reply,omitempty" doc:"of a mail server"`
	Note     string    `json:"note,omitempty" doc:"of the account, about the person"`
}

// maxTimeline is how many events of one person are read at once.
const maxTimeline = 10_000

func (s *Server) timelineRoutes() {
	add(s, route(http.MethodGet, "/subscribers/{id}/timeline", "get-timeline", "subscribers", "Show what happened with a person, oldest first"),
		func(ctx context.Context, in *struct {
			ByID
			Paged
			Waiting
		}) (*Shown[Page[TimelineEntry]], error) {
			return s.timeline(ctx, in.ID, in.Paged, in.Waiting)
		})
}

func (s *Server) timeline(ctx context.Context, person domain.ID, p Paged, w Waiting) (*Shown[Page[TimelineEntry]], error) {
	after, err := p.afterNumber()
	if err != nil {
		return nil, err
	}
	events, err := s.eventsOf(ctx, person, w)
	if err != nil {
		return nil, err
	}
	var entries []persontimeline.Entry
	for _, e := range persontimeline.Fold(events) {
		if int64(e.Position) > after && len(entries) <= p.Limit {
			entries = append(entries, e)
		}
	}
	return &Shown[Page[TimelineEntry]]{page(entries, p.Limit, showEntry,
		func(e persontimeline.Entry) string { return number(int64(e.Position)) })}, nil
}

// eventsOf is every event of the account that concerns a person, open. Nobody
// of another account is found.
func (s *Server) eventsOf(ctx context.Context, person domain.ID, w Waiting) ([]event.Recorded, error) {
	rows, err := s.read(ctx, subjectindex.Projection.Name, w)
	if err != nil {
		return nil, err
	}
	positions, err := subjectindex.Positions(ctx, rows, person, 0)
	if err != nil {
		return nil, err
	}
	if len(positions) > maxTimeline {
		positions = positions[len(positions)-maxTimeline:]
	}
	events, err := s.deps.Log.ReadFor(ctx, person, positions)
	if err != nil {
		return nil, err
	}
	own := events[:0]
	for _, e := range events {
		if e.Meta.Account == callerOf(ctx).account {
			own = append(own, e)
		}
	}
	if len(own) == 0 {
		return nil, commands.ErrNotFound
	}
	return own, s.deps.Log.Open(ctx, own)
}

func showEntry(e persontimeline.Entry) TimelineEntry {
	out := TimelineEntry{
		Position: uint64(e.Position), Event: e.Event, At: e.At, Type: e.Type, What: e.What, Actor: e.Actor,
		Campaign: e.Campaign, List: e.List, IP: reveal(e.IP), Client: reveal(e.Client), Reply: reveal(e.Reply),
		Note: reveal(e.Note),
	}
	if e.Link >= 0 {
		out.Link = &e.Link
	}
	return out
}
