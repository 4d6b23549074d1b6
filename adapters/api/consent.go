package api

import (
	"context"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/projections/audience"
	"github.com/cleversender/cleversender/projections/consenthistory"
)

// ConsentAnswer is what a person said, or is asked.
type ConsentAnswer struct {
	Action  string          `json:"action" enum:"give,confirm,revoke,request" doc:"request asks; the others are the person's own answer"`
	Purpose consent.Purpose `json:"purpose" doc:"mailing, open_tracking, click_tracking, profiling or policy_notices"`
	List    domain.ID       `json:"list,omitzero" doc:"for mailing"`
	Method  consent.Method  `json:"method,omitempty" doc:"how the answer reached you: api (the default), form, confirm_link, one_click, unsubscribe_page or data_request"`
	Wording string          `json:"wording,omitempty" maxLength:"64" doc:"SHA-256 of what the person was shown, hex"`
	IP      string          `json:"ip,omitempty" maxLength:"64" doc:"evidence: where the answer came from"`
	Client  string          `json:"client,omitempty" maxLength:"1000" doc:"evidence: the user agent"`
}

// ConsentRecorded is what came of an answer.
type ConsentRecorded struct {
	ConfirmURL string `json:"confirm_url,omitempty" doc:"of a request or a yes to mail: where the person confirms, for a message of yours to carry. It is good for thirty days"`
}

// ConsentHistory is what one person said, and what that comes to.
type ConsentHistory struct {
	Subscriber domain.ID      `json:"subscriber"`
	Erased     bool           `json:"erased,omitempty"`
	At         time.Time      `json:"at,omitzero" doc:"the moment asked for; left out: now"`
	Standing   []ConsentState `json:"standing" nullable:"false"`
	Entries    []ConsentEntry `json:"entries" nullable:"false"`
}

// ConsentState is where one purpose stands.
type ConsentState struct {
	Purpose consent.Purpose `json:"purpose"`
	List    domain.ID       `json:"list,omitzero"`
	Status  consent.Status  `json:"status" doc:"requested, asserted, given, confirmed or revoked"`
	InForce bool            `json:"in_force"`
	Since   time.Time       `json:"since,omitzero" doc:"of the event that the status rests on"`
	// Position is of that event.
	Position uint64 `json:"position,omitempty"`
}

// ConsentEntry is one thing that was said, and the evidence of it.
type ConsentEntry struct {
	Position  uint64          `json:"position"`
	Event     domain.ID       `json:"event"`
	At        time.Time       `json:"at"`
	Type      string          `json:"type"`
	Actor     domain.ID       `json:"actor,omitzero"`
	Purpose   consent.Purpose `json:"purpose,omitempty"`
	List      domain.ID       `json:"list,omitzero"`
	Method    consent.Method  `json:"method,omitempty"`
	Wording   string          `json:"wording,omitempty"`
	Import    domain.ID       `json:"import,omitzero"`
	Row       int             `json:"row,omitempty"`
	ClaimedAt time.Time       `json:"claimed_at,omitzero"`
	Status    consent.Status  `json:"status,omitempty" doc:"of the purpose, after it"`
	Erasure   bool            `json:"erasure,omitempty" doc:"the person was erased: nothing is in force from here on"`
	IP        string          `json:"ip,omitempty"`
	Client    string          `json:"client,omitempty"`
}

func (s *Server) consentRoutes() {
	add(s, route(http.MethodPost, "/subscribers/{id}/consents", "answer-consent", "consent", "Record what a person said about a purpose"),
		func(ctx context.Context, in *struct {
			ByID
			Idempotent
			Body ConsentAnswer
		}) (*Answer[ConsentRecorded], error) {
			return s.answer(ctx, in.ID, in.Idempotent, in.Body)
		})
	add(s, route(http.MethodGet, "/subscribers/{id}/consents", "get-consent-history", "consent", "Show what a person agreed to and when, now or at any moment"),
		func(ctx context.Context, in *struct {
			ByID
			Waiting
			At time.Time `query:"at" doc:"as of this moment (RFC 3339)"`
		}) (*Shown[ConsentHistory], error) {
			h, err := s.consentHistory(ctx, in.ID, in.At, in.Waiting)
			return &Shown[ConsentHistory]{h}, err
		})
}

var errUnknownAction = domain.Refuse("unknown_action", "there is no such action")

func (s *Server) answer(ctx context.Context, person domain.ID, key Idempotent, in ConsentAnswer) (*Answer[ConsentRecorded], error) {
	if in.Method == "" {
		in.Method = consent.ByAPI
	}
	if !in.List.IsZero() {
		if err := s.openList(ctx, in.List); err != nil && (in.Action != "revoke" || err != errListArchived) {
			return nil, err
		}
	}
	req, ip, client := s.request(ctx, key), personal.Of(in.IP), personal.Of(in.Client)
	var at uint64
	var err error
	switch in.Action {
	case "give":
		at, err = do(ctx, s, req, key, commands.GiveConsent{
			Person: person, Purpose: in.Purpose, List: in.List, Method: in.Method, Wording: in.Wording, IP: ip, Client: client,
		})
	case "confirm":
		at, err = do(ctx, s, req, key, commands.ConfirmConsent{
			Person: person, Purpose: in.Purpose, List: in.List, Method: in.Method, IP: ip, Client: client,
		})
	case "revoke":
		at, err = do(ctx, s, req, key, commands.RevokeConsent{
			Person: person, Purpose: in.Purpose, List: in.List, Method: in.Method, IP: ip, Client: client,
		})
	case "request":
		at, err = do(ctx, s, req, key, commands.RequestConsent{
			Person: person, Purpose: in.Purpose, List: in.List, Method: in.Method,
		})
	default:
		err = errUnknownAction
	}
	out := &Answer[ConsentRecorded]{Position: at}
	if err == nil && in.Purpose == consent.Mailing && (in.Action == "request" || in.Action == "give") {
		out.Body.ConfirmURL = s.deps.ConfirmURL(req.Account, person, in.List)
	}
	return out, err
}

func (s *Server) consentHistory(ctx context.Context, person domain.ID, at time.Time, w Waiting) (ConsentHistory, error) {
	events, err := s.eventsOf(ctx, person, w)
	if err != nil {
		return ConsentHistory{}, err
	}
	out := ConsentHistory{Subscriber: person, At: at, Entries: []ConsentEntry{}}
	entries := consenthistory.Fold(events)
	if at.IsZero() {
		at = lastMoment
	}
	for _, e := range entries {
		if !e.At.After(at) {
			out.Erased = out.Erased || e.Erasure
			out.Entries = append(out.Entries, showConsent(e))
		}
	}
	out.Standing, err = s.standing(ctx, consenthistory.AsOf(entries, at))
	return out, err
}

// lastMoment is after everything that is recorded.
var lastMoment = time.Unix(1<<62, 0)

// standing says of each answer whether the purpose may be pursued.
func (s *Server) standing(ctx context.Context, answers []consenthistory.Answer) ([]ConsentState, error) {
	out := make([]ConsentState, 0, len(answers))
	rows := s.deps.Models.Reader(audience.Projection.Name)
	for _, a := range answers {
		double := false
		if !a.List.IsZero() {
			l, _, err := audience.FindList(ctx, rows, callerOf(ctx).account, a.List)
			if err != nil {
				return nil, err
			}
			double = l.DoubleOptIn
		}
		out = append(out, ConsentState{a.Purpose, a.List, a.Status, a.InForce(double), a.At, uint64(a.Position)})
	}
	return out, nil
}

func showConsent(e consenthistory.Entry) ConsentEntry {
	return ConsentEntry{
		Position: uint64(e.Position), Event: e.Event, At: e.At, Type: e.Type, Actor: e.Actor, Purpose: e.Purpose,
		List: e.List, Method: e.Method, Wording: e.Wording, Import: e.Import, Row: e.Row, ClaimedAt: e.ClaimedAt,
		Status: e.State.Status, Erasure: e.Erasure, IP: reveal(e.IP), Client: reveal(e.Client),
	}
}

// reveal shows a personal value to the account that it was given to; "" when
// it is erased.
func reveal(t personal.Text) string {
	value, _ := t.Reveal()
	return value
}
