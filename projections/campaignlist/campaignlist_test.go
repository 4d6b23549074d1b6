package campaignlist_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/projections/campaignlist"
	"github.com/cleversender/cleversender/projections/projectiontest"
)

var (
	acct   = projectiontest.ID(projectiontest.Account, 0)
	first  = projectiontest.ID(projectiontest.Campaign, 5)
	second = projectiontest.ID(projectiontest.Campaign, 1) // younger, with a smaller id
	noon   = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
)

func fold(t *testing.T, h *projectiontest.History) projectiontest.Tables {
	t.Helper()
	tables, err := projectiontest.Fold(campaignlist.Projection, h.Events)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(campaignlist.Campaign{})); diff != "" {
		t.Fatalf("-want +got\n%s", diff)
	}
}

// A campaign is as its last events left it, from draft to end.
func TestFind(t *testing.T) {
	h := &projectiontest.History{}
	add := func(data any) { h.Add(1, acct, campaign.Stream(first), domain.ID{}, data) }
	settings := campaign.Settings{Name: "b", Lists: []domain.ID{projectiontest.ID(projectiontest.List, 0)}}
	content := campaign.Content{TemplateRevision: 2, SHA256: "00", Links: []string{"https://a.example"}}
	frozen, totals := campaign.AudienceFrozen{Position: 4, Recipients: 9, SHA256: "01"}, campaign.Finished{Sent: 8, Unknown: 1}
	for _, data := range []any{
		campaign.Drafted{Settings: campaign.Settings{Name: "a"}}, campaign.Edited{Settings: settings}, campaign.Scheduled{StartAt: noon},
		campaign.Started{Content: content}, frozen, campaign.Paused{Reason: "lunch"}, campaign.Throttled{PerHour: 60}, campaign.Resumed{}, totals,
	} {
		add(data)
	}
	got, found, err := campaignlist.Find(t.Context(), fold(t, h), acct, first)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	equal(t, got, campaignlist.Campaign{
		Account: acct, ID: first, Settings: settings, Status: campaign.Done, CreatedAt: h.Events[0].At, EditedAt: h.Events[1].At,
		StartAt: noon, StartedAt: h.Events[3].At, Throttle: 60, EndedAt: h.Events[8].At, Content: content, Frozen: frozen, Totals: totals,
	})
	_, found, err = campaignlist.Find(t.Context(), fold(t, h), projectiontest.ID(projectiontest.Account, 1), first)
	equal(t, found, false)
	equal(t, err, nil)
}

// A start that was called off says why, until the campaign is on its way again.
func TestReason(t *testing.T) {
	h := &projectiontest.History{}
	for _, step := range []struct {
		data   any
		reason string
	}{
		{campaign.Drafted{}, ""}, {campaign.Scheduled{StartAt: noon}, ""}, {campaign.Unscheduled{Reason: "nobody"}, "nobody"},
		{campaign.Edited{}, "nobody"}, {campaign.Scheduled{StartAt: noon}, ""}, {campaign.Unscheduled{Reason: "nobody"}, "nobody"},
		{campaign.Started{}, ""}, {campaign.Paused{Reason: "lunch"}, "lunch"}, {campaign.Resumed{}, ""},
	} {
		h.Add(1, acct, campaign.Stream(first), domain.ID{}, step.data)
		got, _, err := campaignlist.Find(t.Context(), fold(t, h), acct, first)
		equal(t, err, nil)
		equal(t, got.Reason, step.reason)
	}
}

// The newest comes first, and the next page goes on after the last.
func TestRecent(t *testing.T) {
	h := &projectiontest.History{}
	for _, id := range []domain.ID{first, second} {
		h.Add(1, acct, campaign.Stream(id), domain.ID{}, campaign.Drafted{})
	}
	h.Add(1, acct, campaign.Stream(first), domain.ID{}, campaign.Edited{})
	page, err := campaignlist.Recent(t.Context(), fold(t, h), acct, 0, 1)
	equal(t, err, nil)
	equal(t, page[0].ID, second)
	page, err = campaignlist.Recent(t.Context(), fold(t, h), acct, page[0].Cursor(), 10)
	equal(t, err, nil)
	equal(t, len(page), 1)
	equal(t, page[0].ID, first)
}

// What is due, and what is active, follows the status.
func TestDueAndActive(t *testing.T) {
	h := &projectiontest.History{}
	add := func(id domain.ID, data any) { h.Add(1, acct, campaign.Stream(id), domain.ID{}, data) }
	expect := func(due, active []campaignlist.Ref, next time.Time) {
		t.Helper()
		tables := fold(t, h)
		gotDue, err := campaignlist.Due(t.Context(), tables, noon, 10)
		equal(t, err, nil)
		equal(t, gotDue, due)
		gotActive, err := campaignlist.Active(t.Context(), tables)
		equal(t, err, nil)
		equal(t, gotActive, active)
		gotNext, err := campaignlist.NextDue(t.Context(), tables)
		equal(t, err, nil)
		equal(t, gotNext, next)
	}
	a, b := campaignlist.Ref{Account: acct, Campaign: first}, campaignlist.Ref{Account: acct, Campaign: second}
	add(first, campaign.Drafted{})
	add(second, campaign.Drafted{})
	add(first, campaign.Scheduled{StartAt: noon})
	add(second, campaign.Scheduled{StartAt: noon.Add(time.Second)})
	expect([]campaignlist.Ref{a}, nil, noon)
	add(second, campaign.Unscheduled{})
	add(second, campaign.Scheduled{StartAt: noon.Add(-time.Hour)})
	expect([]campaignlist.Ref{b, a}, nil, noon.Add(-time.Hour))
	add(second, campaign.Started{})
	add(first, campaign.Unscheduled{})
	expect(nil, []campaignlist.Ref{b}, time.Time{})
	add(second, campaign.Paused{})
	expect(nil, []campaignlist.Ref{b}, time.Time{})
	add(second, campaign.Cancelled{})
	expect(nil, nil, time.Time{})
}
