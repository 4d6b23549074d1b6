package messages_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/projections/messages"
	"github.com/cleversender/cleversender/projections/projectiontest"
)

var (
	acct     = projectiontest.ID(projectiontest.Account, 0)
	person   = projectiontest.ID(projectiontest.Person, 0)
	template = projectiontest.ID(projectiontest.Template, 0)
	campaign = projectiontest.ID(projectiontest.Campaign, 0)
	worker   = projectiontest.ID(projectiontest.Worker, 0)
	receipt  = message.Requested{Kind: message.Transactional, Template: template}
	trial    = message.Requested{Kind: message.Test, Template: template, Campaign: campaign}
)

func id(n int) domain.ID { return projectiontest.ID(projectiontest.Message, n) }

func folded(t *testing.T, h *projectiontest.History) projectiontest.Tables {
	t.Helper()
	rows, err := projectiontest.Fold(messages.Projection, h.Events)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func ids(t *testing.T, found []messages.Message, err error) (out []domain.ID) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range found {
		out = append(out, m.ID)
	}
	return out
}

// A message says what became of it last, and how often it was tried before.
func TestFind(t *testing.T) {
	var h projectiontest.History
	var at []time.Time
	for _, data := range []any{
		receipt, message.Intended{Worker: worker}, message.Deferred{Code: 451, Enhanced: "4.7.1"},
		message.Intended{Worker: worker}, message.Deferred{}, message.Intended{Worker: worker},
		message.Failed{Code: 550, Enhanced: "5.1.1", Reason: delivery.Rejected},
	} {
		h.Add(1, acct, message.Stream(id(0)), person, data)
		at = append(at, h.Events[len(h.Events)-1].At)
	}
	want := messages.Message{
		Account: acct, ID: id(0), Person: person, Kind: message.Transactional, Template: template, RequestedAt: at[0], Worker: worker,
		Status: message.Undelivered, Since: at[6], Reason: delivery.Rejected, Code: 550, Enhanced: "5.1.1", Tries: 1, Knocks: 1,
	}
	rows := folded(t, &h)
	got, found, err := messages.Find(t.Context(), rows, acct, id(0))
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(messages.Message{})); diff != "" || !found || err != nil {
		t.Error(diff, found, err)
	}
	if _, found, err := messages.Find(t.Context(), rows, id(9), id(0)); found || err != nil {
		t.Error("another account finds it", err)
	}
}

// What is listed is the account's, newest first; tests are listed by their campaign.
func TestRecentAndTests(t *testing.T) {
	var h projectiontest.History
	h.Add(1, acct, message.Stream(id(0)), person, trial)
	h.Add(1, acct, message.Stream(id(1)), person, receipt)
	h.Add(1, id(9), message.Stream(id(2)), person, trial)
	h.Add(1, acct, message.Stream(id(3)), person, trial)
	rows := folded(t, &h)
	found, err := messages.Recent(t.Context(), rows, acct, 0, 2)
	if diff := cmp.Diff([]domain.ID{id(3), id(1)}, ids(t, found, err)); diff != "" {
		t.Fatal(diff)
	}
	found, err = messages.Recent(t.Context(), rows, acct, found[1].Cursor(), 2)
	if diff := cmp.Diff([]domain.ID{id(0)}, ids(t, found, err)); diff != "" {
		t.Error(diff)
	}
	found, err = messages.Tests(t.Context(), rows, acct, campaign, 9)
	if diff := cmp.Diff([]domain.ID{id(3), id(0)}, ids(t, found, err)); diff != "" {
		t.Error(diff)
	}
}

// Open is what a worker that has just started has to see to: no more and no less.
func TestOpen(t *testing.T) {
	var h projectiontest.History
	intended := message.Intended{Worker: worker}
	for n, past := range [][]any{
		{receipt},
		{receipt, intended},
		{receipt, intended, message.Deferred{Code: 451}},
		{receipt, intended, message.LeftInDoubt{}, message.ResendRequested{}},
		{receipt, intended, message.LeftInDoubt{}},
		{receipt, intended, message.Accepted{Code: 250}},
		{receipt, intended, message.Failed{Code: 550}},
		{receipt, message.Withheld{Reason: delivery.Erased}},
	} {
		for _, data := range past {
			h.Add(1, acct, message.Stream(id(n)), person, data)
		}
	}
	rows := folded(t, &h)
	found, err := messages.Open(t.Context(), rows, domain.ID{}, 3)
	if diff := cmp.Diff([]domain.ID{id(0), id(1), id(2)}, ids(t, found, err)); diff != "" {
		t.Error(diff)
	}
	found, err = messages.Open(t.Context(), rows, id(2), 3)
	if diff := cmp.Diff([]domain.ID{id(3)}, ids(t, found, err)); diff != "" {
		t.Error(diff)
	}
}
