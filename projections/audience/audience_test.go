package audience_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/audience"
	"github.com/cleversender/cleversender/projections/projectiontest"
)

var (
	acct   = projectiontest.ID(projectiontest.Account, 0)
	other  = projectiontest.ID(projectiontest.Account, 1)
	single = projectiontest.ID(projectiontest.List, 0)
	double = projectiontest.ID(projectiontest.List, 1) // double opt-in
	ada    = projectiontest.ID(projectiontest.Person, 0)
	bob    = projectiontest.ID(projectiontest.Person, 1)
)

// story is two lists, two people, and what comes after.
type story struct {
	*testing.T
	projectiontest.History
}

func begin(t *testing.T) *story {
	s := &story{T: t}
	s.Add(1, acct, list.Stream(single), domain.ID{}, list.Created{Name: "single"})
	s.Add(1, acct, list.Stream(double), domain.ID{}, list.Created{Name: "double", DoubleOptIn: true})
	for _, id := range []domain.ID{ada, bob} {
		s.about(id, subscriber.Added{Email: personal.SealedText([]byte("sealed " + id.String())), Source: subscriber.SourceAPI})
	}
	return s
}

// about appends events of a person and returns the position of the last.
func (s *story) about(id domain.ID, data ...any) event.Position {
	for _, d := range data {
		s.Add(1, acct, subscriber.Stream(id), id, d)
	}
	return s.Events[len(s.Events)-1].Position
}

func (s *story) fold() projectiontest.Tables {
	s.Helper()
	tables, err := projectiontest.Fold(audience.Projection, s.Events)
	s.must(err)
	return tables
}

func (s *story) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *story) equal(got, want any) {
	s.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		s.Fatalf("-want +got\n%s", diff)
	}
}

// permission is why somebody may not be mailed for lists, or by which event they may.
func (s *story) permission(id domain.ID, lists ...domain.ID) (delivery.Reason, event.Position) {
	s.Helper()
	p, err := audience.Permissions(s.Context(), s.fold(), acct, lists, []domain.ID{id})
	s.must(err)
	return p[0].Withhold, p[0].Consent
}

func (s *story) counts(id domain.ID) audience.Counts {
	s.Helper()
	l, found, err := audience.FindList(s.Context(), s.fold(), acct, id)
	s.must(err)
	s.equal(found, true)
	return l.Counts
}

// Consent counts from the event that puts it in force to the one that ends it, list by list.
func TestPermission(t *testing.T) {
	s := begin(t)
	expect := func(id, on domain.ID, reason delivery.Reason, at event.Position) {
		t.Helper()
		r, p := s.permission(id, on)
		s.equal(r, reason)
		s.equal(p, at)
	}
	expect(ada, single, delivery.NoConsent, 0)
	s.about(ada, subscriber.Joined{List: single}, subscriber.Joined{List: double})
	expect(ada, single, delivery.NoConsent, 0)
	given := s.about(ada, consent.Given{Purpose: consent.Mailing, List: single})
	expect(ada, single, "", given)
	expect(ada, double, delivery.NoConsent, 0)
	s.about(ada, consent.Given{Purpose: consent.Mailing, List: double})
	expect(ada, double, delivery.Unconfirmed, 0)
	confirmed := s.about(ada, consent.Confirmed{Purpose: consent.Mailing, List: double})
	expect(ada, double, "", confirmed)
	s.about(ada, consent.Revoked{Purpose: consent.Mailing, List: single})
	expect(ada, single, delivery.Revoked, 0)
	s.about(ada, consent.Asserted{Purposes: consent.Purposes, List: single})
	expect(ada, single, delivery.Revoked, 0)
	asserted := s.about(bob, consent.Asserted{Purposes: consent.Purposes, List: double})
	expect(bob, double, "", asserted)
	expect(projectiontest.ID(projectiontest.Person, 9), single, delivery.Erased, 0)

	s.equal(s.counts(single), audience.Counts{Members: 1, Revoked: 1})
	s.equal(s.counts(double), audience.Counts{Members: 2, Mailable: 2})
	reason, at := s.permission(ada, single, double)
	s.equal(reason, delivery.Reason(""))
	s.equal(at, confirmed)
	s.Add(1, acct, list.Stream(double), domain.ID{}, list.Archived{})
	expect(bob, double, delivery.NoConsent, 0)
	p, err := audience.Permissions(t.Context(), s.fold(), other, []domain.ID{double}, []domain.ID{bob})
	s.must(err)
	s.equal(p[0].Withhold, delivery.Erased) // as far as the other account can tell
}

// What holds mail back comes before what was agreed to, the gravest first, for
// every list and in their counts; when it ends, what was agreed to counts again.
func TestHolds(t *testing.T) {
	s := begin(t)
	expect := func(reason delivery.Reason, counts audience.Counts) {
		t.Helper()
		r, _ := s.permission(ada, single)
		s.equal(r, reason)
		s.equal(s.counts(single), counts)
	}
	s.about(ada, consent.Given{Purpose: consent.Mailing, List: single}, subscriber.Suppressed{Reason: subscriber.HardBounce})
	expect(delivery.Suppressed, audience.Counts{Members: 1, Suppressed: 1})
	since := s.about(ada, subscriber.Objected{})
	expect(delivery.Objected, audience.Counts{Members: 1, Objected: 1})
	s.about(ada, subscriber.Restricted{}, subscriber.Restricted{})
	expect(delivery.Restricted, audience.Counts{Members: 1, Restricted: 1})
	r, _ := s.permission(ada, double) // whom she never joined
	s.equal(r, delivery.Restricted)
	person, _, err := audience.Find(t.Context(), s.fold(), acct, ada)
	s.must(err)
	s.equal(len(person.Holds), 3)
	s.equal(*person.Held(subscriber.Objection), audience.Held{Hold: subscriber.Objection, Position: since, Since: s.Events[6].At})
	s.equal(person.Lists[0].Standing, audience.Restricted)
	s.equal(person.Lists[0].Consent, event.Position(0))
	s.about(ada, subscriber.RestrictionLifted{})
	expect(delivery.Objected, audience.Counts{Members: 1, Objected: 1})
	s.about(ada, subscriber.ObjectionWithdrawn{}, subscriber.Suppressed{Reason: subscriber.Complaint}, subscriber.Unsuppressed{Reason: subscriber.HardBounce})
	expect(delivery.Suppressed, audience.Counts{Members: 1, Suppressed: 1})
	s.about(ada, subscriber.Unsuppressed{Reason: subscriber.Complaint})
	expect("", audience.Counts{Members: 1, Mailable: 1})
}

// An objection covers every list, those that come later and those that a file
// claims among them, but for a list that the person agreed to since; until they
// object again.
func TestObjectionEndsListByList(t *testing.T) {
	s := begin(t)
	reason := func(on domain.ID, want delivery.Reason) {
		t.Helper()
		r, _ := s.permission(ada, on)
		s.equal(r, want)
	}
	off := consent.Revoked{Purpose: consent.Mailing, List: single}
	yes := consent.Given{Purpose: consent.Mailing, List: single}
	s.about(ada, yes, subscriber.Objected{}, off, subscriber.Joined{List: double}, consent.Asserted{Purposes: consent.Purposes, List: double})
	reason(single, delivery.Objected)
	reason(double, delivery.Objected)
	at := s.about(ada, yes)
	reason(double, delivery.Objected)
	r, allowed := s.permission(ada, double, single)
	s.equal(r, delivery.Reason(""))
	s.equal(allowed, at)
	s.about(ada, subscriber.Objected{})
	reason(single, delivery.Objected)
	s.about(ada, off, yes)
	reason(single, "")
	s.about(ada, off)
	reason(single, delivery.Objected)
}

// Who is suppressed is listed with the reasons, page by page, until settled or erased.
func TestSuppressions(t *testing.T) {
	s := begin(t)
	s.about(ada, subscriber.Suppressed{Reason: subscriber.HardBounce}, subscriber.Suppressed{Reason: subscriber.Complaint}, subscriber.Restricted{})
	s.about(bob, subscriber.Suppressed{Reason: subscriber.Manual}, subscriber.Suppressed{Reason: subscriber.Manual})
	all := func() (got []audience.Suppression) {
		var after audience.Suppression
		for {
			page, err := audience.Suppressions(t.Context(), s.fold(), acct, after, 1)
			s.must(err)
			if len(page) == 0 {
				return got
			}
			got, after = append(got, page...), page[0]
		}
	}
	adas := []audience.Suppression{{ada, subscriber.Complaint, s.Events[5].At}, {ada, subscriber.HardBounce, s.Events[4].At}}
	s.equal(all(), append(adas, audience.Suppression{Person: bob, Reason: subscriber.Manual, Since: s.Events[7].At}))
	s.about(bob, subscriber.Unsuppressed{Reason: subscriber.Manual}, subscriber.Unsuppressed{Reason: subscriber.Complaint})
	s.equal(all(), adas)
	s.about(ada, subscriber.Erased{})
	s.equal(len(all()), 0)
	none, err := audience.Suppressions(t.Context(), s.fold(), other, audience.Suppression{}, 10)
	s.must(err)
	s.equal(len(none), 0)
}

// Tracking is each person's own to allow, for the account as a whole.
func TestTracking(t *testing.T) {
	s := begin(t)
	s.about(ada, consent.Given{Purpose: consent.Mailing, List: single}, consent.Given{Purpose: consent.OpenTracking})
	p, err := audience.Permissions(t.Context(), s.fold(), acct, []domain.ID{single}, []domain.ID{ada})
	s.must(err)
	s.equal(p[0].OpenTracking, true)
	s.equal(p[0].ClickTracking, false)
	at := s.Events[len(s.Events)-1].Position
	person, _, err := audience.Find(t.Context(), s.fold(), acct, ada)
	s.must(err)
	s.equal(person.OpenTracking, at)
	who := []audience.Who{{Account: acct, Person: bob}, {Account: acct, Person: ada}, {Account: other, Person: ada}}
	allowed, err := audience.TrackingOf(t.Context(), s.fold(), who)
	s.must(err)
	s.equal(allowed, []audience.Tracking{{}, {Opens: true}, {}})
	s.about(ada, consent.Revoked{Purpose: consent.OpenTracking}, consent.Given{Purpose: consent.ClickTracking})
	allowed, err = audience.TrackingOf(t.Context(), s.fold(), who[1:2])
	s.must(err)
	s.equal(allowed, []audience.Tracking{{Clicks: true}})
	s.about(ada, subscriber.Restricted{})
	allowed, err = audience.TrackingOf(t.Context(), s.fold(), who[1:2])
	s.must(err)
	s.equal(allowed, []audience.Tracking{{}})
	person, _, err = audience.Find(t.Context(), s.fold(), acct, ada)
	s.must(err)
	s.equal(person.OpenTracking, event.Position(0))
}

// A correction replaces what was held, and says which event sealed it.
func TestRectified(t *testing.T) {
	s := begin(t)
	s.about(ada, subscriber.Rectified{Email: personal.SealedText([]byte("new")), Source: subscriber.SourceForm})
	p, found, err := audience.Find(t.Context(), s.fold(), acct, ada)
	s.must(err)
	s.equal(found, true)
	s.equal(string(p.Email.Sealed()), "new")
	s.equal(p.SealedBy, s.Events[len(s.Events)-1].ID)
	s.equal(p.AddedAt, s.Events[2].At)
}

// An erased person has no row left anywhere, and nothing that comes later brings one back.
func TestErased(t *testing.T) {
	s := begin(t)
	s.about(bob, subscriber.Joined{List: single})
	without, err := projectiontest.Fold(audience.Projection, s.Events[:3]) // ada alone
	s.must(err)
	s.about(bob, consent.Given{Purpose: consent.Mailing, List: double}, subscriber.Erased{}, subscriber.Joined{List: single})
	after := s.fold()
	for _, table := range audience.Projection.Tables[:2] {
		s.equal(after[table], without[table])
	}
	s.equal(s.counts(single), audience.Counts{})
	s.equal(s.counts(double), audience.Counts{})
	n, err := audience.CountPeople(t.Context(), after, acct)
	s.must(err)
	s.equal(n, 1)
}

// Who is on at least one list comes once, in id order, page by page, whatever they agreed to.
func TestMemberIDs(t *testing.T) {
	s := begin(t)
	var want []domain.ID
	for i := range 25 {
		id := projectiontest.ID(projectiontest.Person, 10+i)
		s.about(id, subscriber.Added{})
		if i%3 == 0 {
			s.about(id, subscriber.Joined{List: single}, consent.Given{Purpose: consent.Mailing, List: single})
		}
		if i%4 == 0 {
			s.about(id, subscriber.Joined{List: double})
		}
		if i%3 == 0 || i%4 == 0 {
			want = append(want, id)
		}
	}
	tables := s.fold()
	for _, limit := range []int{1, 2, 3, 100} {
		var got []domain.ID
		var after domain.ID
		for {
			page, err := audience.MemberIDs(t.Context(), tables, acct, []domain.ID{double, single}, after, limit)
			s.must(err)
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
			after = page[len(page)-1]
		}
		s.equal(got, want)
	}
	none, err := audience.MemberIDs(t.Context(), tables, other, []domain.ID{single}, domain.ID{}, 10)
	s.must(err)
	s.equal(len(none), 0)
}

// Pages of people, members and lists go on where the one before ended.
func TestPages(t *testing.T) {
	s := begin(t)
	s.about(ada, subscriber.Joined{List: single})
	s.about(bob, subscriber.Joined{List: single})
	tables := s.fold()
	people, err := audience.People(t.Context(), tables, acct, ada, 10)
	s.must(err)
	s.equal(len(people), 1)
	s.equal(people[0].ID, bob)
	s.equal(people[0].Lists[0].Standing, audience.Silent)
	members, err := audience.Members(t.Context(), tables, single, domain.ID{}, 1)
	s.must(err)
	s.equal(members[0].Person, ada)
	lists, err := audience.Lists(t.Context(), tables, acct, single, 10)
	s.must(err)
	s.equal(len(lists), 1)
	s.equal(lists[0].Name, "double")
}
