package web

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/privacyrequest"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/audience"
	"github.com/cleversender/cleversender/projections/campaignlist"
	"github.com/cleversender/cleversender/projections/consenthistory"
	"github.com/cleversender/cleversender/projections/persontimeline"
	"github.com/cleversender/cleversender/projections/requests"
	"github.com/cleversender/cleversender/projections/subjectindex"
)

// personPage is everything the account holds about one person.
type personPage struct {
	ID         domain.ID
	Email      string
	Name       string
	Attributes []attribute
	Source     subscriber.Source
	AddedAt    time.Time
	ErasedAt   time.Time // zero: not erased
	Lists      []membership
	Agreed     []agreement
	Holds      []audience.Held
	Consents   []consenthistory.Entry
	Timeline   []persontimeline.Entry // the newest first
	Omitted    int                    // events before those of Timeline
	Requests   []requests.Request     // the newest first
	ListNames  map[domain.ID]string
	Campaigns  map[domain.ID]string // names of those in Timeline
}

type attribute struct{ Name, Value string }

type membership struct {
	audience.Member
	Name string
}

// agreement is a purpose that is not about a list, and whether it is in force.
type agreement struct {
	Purpose consent.Purpose
	InForce bool
}

// Open reports that a request of the person's waits to be fulfilled.
func (p personPage) Open() bool {
	return slices.ContainsFunc(p.Requests, func(q requests.Request) bool { return q.FulfilledAt.IsZero() })
}

// Held reports that this keeps mail from the person.
func (p personPage) Held(h subscriber.Hold) bool {
	return slices.ContainsFunc(p.Holds, func(held audience.Held) bool { return held.Hold == h })
}

const maxTimeline = 2000

func (s *site) person(w http.ResponseWriter, r *http.Request, who session) error {
	p, err := s.findPersonPage(r, who)
	if err != nil {
		return err
	}
	v := view{Title: "A person", Section: "people", Data: p}
	if p.Open() {
		v.Refresh = 1
	}
	return s.show(w, r, who, "person", v)
}

func (s *site) findPersonPage(r *http.Request, who session) (p personPage, err error) {
	if p.ID, err = pathID(r); err != nil {
		return p, err
	}
	ctx := r.Context()
	events, err := s.eventsOf(ctx, who, p.ID)
	if err != nil {
		return p, err
	}
	for _, e := range events {
		if _, erased := e.Data.(subscriber.Erased); erased {
			p.ErasedAt = e.At
		}
	}
	if p.ErasedAt.IsZero() { // nothing of the erased is opened, keys or no keys
		if err := s.Log.Open(ctx, events); err != nil {
			return p, err
		}
	}
	p.Timeline, p.Consents = persontimeline.Fold(events), consenthistory.Fold(events)
	slices.Reverse(p.Timeline)
	slices.Reverse(p.Consents)
	if len(p.Timeline) > maxTimeline {
		p.Omitted = len(p.Timeline) - maxTimeline
		p.Timeline = p.Timeline[:maxTimeline]
	}
	if p.ListNames, err = s.listNames(ctx, who.account); err != nil {
		return p, err
	}
	if p.Campaigns, err = s.campaignNames(ctx, who, p.Timeline); err != nil {
		return p, err
	}
	if p.Requests, err = requests.Of(ctx, s.rows(requests.Projection.Name), who.account, p.ID); err != nil {
		return p, err
	}
	slices.Reverse(p.Requests)
	if p.ErasedAt.IsZero() {
		err = s.fillPerson(ctx, who, &p)
	}
	return p, err
}

// campaignNames names the campaigns that a person's events are about.
func (s *site) campaignNames(ctx context.Context, who session, entries []persontimeline.Entry) (map[domain.ID]string, error) {
	names := map[domain.ID]string{}
	for _, e := range entries {
		if _, known := names[e.Campaign]; known || e.Campaign.IsZero() {
			continue
		}
		c, _, err := campaignlist.Find(ctx, s.rows(campaignlist.Projection.Name), who.account, e.Campaign)
		if err != nil {
			return nil, err
		}
		names[e.Campaign] = cmp.Or(c.Settings.Name, "campaign")
	}
	return names, nil
}

// fillPerson adds what is held now.
func (s *site) fillPerson(ctx context.Context, who session, p *personPage) error {
	held, found, err := audience.Find(ctx, s.rows(audience.Projection.Name), who.account, p.ID)
	if err != nil || !found {
		return err
	}
	one := []audience.Person{held}
	if err := s.open(ctx, one); err != nil {
		return err
	}
	held = one[0]
	p.Email, p.Name, p.Source, p.AddedAt, p.Holds = plain(held.Email), plain(held.Name), held.Source, held.AddedAt, held.Holds
	values, _ := held.Attributes.Reveal()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		p.Attributes = append(p.Attributes, attribute{name, values[name]})
	}
	for _, m := range held.Lists {
		p.Lists = append(p.Lists, membership{m, cmp.Or(p.ListNames[m.List], m.List.String())})
	}
	p.Agreed = []agreement{
		{consent.OpenTracking, held.OpenTracking > 0}, {consent.ClickTracking, held.ClickTracking > 0},
		{consent.Profiling, held.Profiling > 0}, {consent.PolicyNotices, held.PolicyNotices > 0},
	}
	return nil
}

// eventsOf is every event of the account that concerns a person, sealed. Nobody
// of another account is found.
func (s *site) eventsOf(ctx context.Context, who session, person domain.ID) ([]event.Recorded, error) {
	positions, err := subjectindex.Positions(ctx, s.rows(subjectindex.Projection.Name), person, 0)
	if err != nil {
		return nil, err
	}
	events, err := s.Log.ReadFor(ctx, person, positions)
	if err != nil {
		return nil, err
	}
	own := slices.DeleteFunc(events, func(e event.Recorded) bool { return e.Meta.Account != who.account })
	if len(own) == 0 {
		return nil, commands.ErrNotFound
	}
	return own, nil
}

func (s *site) exportPerson(w http.ResponseWriter, r *http.Request, who session) error {
	return s.openRequest(w, r, who, privacyrequest.Access)
}

func (s *site) erasePerson(w http.ResponseWriter, r *http.Request, who session) error {
	return s.openRequest(w, r, who, privacyrequest.Erasure)
}

// openRequest puts a request on the desk, which fulfils it.
func (s *site) openRequest(w http.ResponseWriter, r *http.Request, who session, kind privacyrequest.Kind) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	if err := commands.Exists(r.Context(), s.Log, who.account, subscriber.Stream(id)); err != nil {
		return err
	}
	cmd := commands.OpenRequest{Request: s.NewID(), Person: id, Kind: kind, Now: s.Now()}
	if err := act(s, r, who, requests.Projection.Name, cmd); err != nil {
		return err
	}
	to := "/people/" + id.String()
	if kind != privacyrequest.Erasure {
		to += "#requests"
	}
	return seeOther(w, r, to)
}

func (s *site) erasePage(w http.ResponseWriter, r *http.Request, who session) error {
	p, err := s.findPersonPage(r, who)
	if err != nil {
		return err
	}
	return s.show(w, r, who, "erase", view{Title: "Erase a person", Section: "people", Data: p})
}

var errNotReady = domain.Refuse("not_fulfilled", "the bundle is not ready yet; try again in a moment")

// bundle hands out what an access request gets: made anew from the log, the
// same bytes as when it was fulfilled.
func (s *site) bundle(w http.ResponseWriter, r *http.Request, who session) error {
	person, err := pathID(r)
	if err != nil {
		return err
	}
	id, err := domain.ParseID(r.PathValue("bundle"))
	if err != nil {
		return commands.ErrNotFound
	}
	q, found, err := requests.Find(r.Context(), s.rows(requests.Projection.Name), who.account, id)
	switch {
	case err != nil:
		return err
	case !found || q.Person != person || q.Kind != privacyrequest.Access:
		return commands.ErrNotFound
	case q.FulfilledAt.IsZero():
		return errNotReady
	}
	raw, err := s.Bundle(r.Context(), who.account, person, q.Access.Position)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="personal-data.json"`)
	_, _ = w.Write(raw)
	return nil
}
