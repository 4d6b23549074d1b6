package catalog_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
	events "github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/contactimport"
	"github.com/cleversender/cleversender/domain/privacyrequest"
	"github.com/cleversender/cleversender/domain/template"
	"github.com/cleversender/cleversender/projections"
	"github.com/cleversender/cleversender/projections/catalog"
	"github.com/cleversender/cleversender/projections/imports"
	"github.com/cleversender/cleversender/projections/projectiontest"
	"github.com/cleversender/cleversender/projections/requests"
	"github.com/cleversender/cleversender/projections/templates"
	"github.com/cleversender/cleversender/projections/tokens"
)

var acct = projectiontest.ID(projectiontest.Account, 0)

func fold(t *testing.T, p projections.Projection, stream string, subject domain.ID, data ...any) (projectiontest.Tables, []time.Time) {
	t.Helper()
	h := &projectiontest.History{}
	var at []time.Time
	for _, d := range data {
		h.Add(1, acct, stream, subject, d)
		at = append(at, h.Events[len(h.Events)-1].At)
	}
	tables, err := projectiontest.Fold(p, h.Events)
	if err != nil {
		t.Fatal(err)
	}
	return tables, at
}

func equal[T any](t *testing.T, got T, err error, want T) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(),
		cmpopts.IgnoreUnexported(templates.Template{}, imports.Import{}, requests.Request{})); diff != "" {
		t.Fatalf("-want +got\n%s", diff)
	}
}

// Every projection has a name of its own, and folds types that exist; whatever is stored under one name is one table.
func TestEveryProjection(t *testing.T) {
	names := map[string]bool{}
	for _, p := range catalog.All {
		if names[p.Name] {
			t.Errorf("%s is there twice", p.Name)
		}
		names[p.Name] = true
		for _, name := range p.Types {
			if _, ok := events.All.Types()[name]; !ok {
				t.Errorf("%s folds %s, which no event is called", p.Name, name)
			}
		}
		tables := map[string]bool{}
		for _, table := range p.Tables {
			if tables[table.Name] || len(table.Key) == 0 {
				t.Errorf("%s: table %s", p.Name, table.Name)
			}
			tables[table.Name] = true
		}
	}
}

// A token is found by its hash, and says when it was revoked.
func TestTokens(t *testing.T) {
	id := projectiontest.ID(projectiontest.Token, 0)
	tables, at := fold(t, tokens.Projection, account.Stream(acct), domain.ID{},
		account.Created{Name: "Ada's"}, account.TokenIssued{Token: id, Hash: "abc", Label: "laptop", Scopes: account.Scopes}, account.TokenRevoked{Token: id})
	want := tokens.Token{Account: acct, ID: id, Hash: "abc", Label: "laptop", Scopes: account.Scopes, IssuedAt: at[1], RevokedAt: at[2]}
	got, _, err := tokens.ByHash(t.Context(), tables, "abc")
	equal(t, got, err, want)
	all, err := tokens.Of(t.Context(), tables, acct)
	equal(t, all, err, []tokens.Token{want})
	_, found, err := tokens.ByHash(t.Context(), tables, "abd")
	equal(t, found, err, false)
	a, _, err := tokens.FindAccount(t.Context(), tables, acct)
	equal(t, a, err, tokens.Account{ID: acct, Name: "Ada's", CreatedAt: at[0]})
	accounts, err := tokens.Accounts(t.Context(), tables, acct, 10)
	equal(t, accounts, err, nil)
}

// A template is its last content, with as many revisions as it had.
func TestTemplates(t *testing.T) {
	id := projectiontest.ID(projectiontest.Template, 0)
	content := template.Content{Subject: "s", HTML: "h", Text: "t"}
	tables, at := fold(t, templates.Projection, template.Stream(id), domain.ID{}, template.Created{Name: "a"}, template.Edited{Name: "b", Content: content})
	got, err := templates.Recent(t.Context(), tables, acct, 0, 10)
	equal(t, got, err, []templates.Template{{Account: acct, ID: id, Name: "b", Content: content, Revision: 2, CreatedAt: at[0], EditedAt: at[1]}})
	got, err = templates.Recent(t.Context(), tables, acct, got[0].Cursor(), 10)
	equal(t, got, err, nil)
}

// An import says how far it is, and which rows it left out, in file order.
func TestImports(t *testing.T) {
	id, list := projectiontest.ID(projectiontest.Import, 0), projectiontest.ID(projectiontest.List, 0)
	purposes := []consent.Purpose{consent.Mailing, consent.OpenTracking}
	rows := []contactimport.RejectedRow{{Line: 3, Code: "bad_email", Column: "email"}, {Line: 9, Code: "bad_name", Column: "name"}}
	counts := contactimport.Counts{Added: 7, Rejected: 2}
	tables, at := fold(t, imports.Projection, contactimport.Stream(id), domain.ID{},
		contactimport.Started{List: list, Purposes: purposes, Source: "fair"}, contactimport.RowsRejected{Rows: rows},
		contactimport.Progressed{Line: 9, Bytes: 500, SHA256: "00"}, contactimport.Finished{Line: 10, Bytes: 600, SHA256: "01", Counts: counts})
	got, _, err := imports.Find(t.Context(), tables, acct, id)
	equal(t, got, err, imports.Import{
		Account: acct, ID: id, List: list, Purposes: purposes, Source: "fair", Status: imports.Finished, Line: 10, Bytes: 600,
		SHA256: "01", Counts: counts, StartedAt: at[0], EndedAt: at[3],
	})
	rejected, err := imports.Rejected(t.Context(), tables, id, 0, 10)
	equal(t, rejected, err, rows)
	rejected, err = imports.Rejected(t.Context(), tables, id, 3, 1)
	equal(t, rejected, err, rows[1:])
}

// A request is open, most urgent first, until it is fulfilled.
func TestRequests(t *testing.T) {
	id, person := projectiontest.ID(projectiontest.Request, 0), projectiontest.ID(projectiontest.Person, 0)
	due := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	received := privacyrequest.Received{Kind: privacyrequest.Erasure, Due: due}
	tables, at := fold(t, requests.Projection, privacyrequest.Stream(id), person, received)
	want := requests.Request{Account: acct, ID: id, Person: person, Kind: privacyrequest.Erasure, ReceivedAt: at[0], Due: due}
	got, err := requests.Open(t.Context(), tables, 10)
	equal(t, got, err, []requests.Request{want})
	fulfilled := privacyrequest.ErasureFulfilled{Redaction: id, Keys: 2, Events: 5, Suppressed: true}
	tables, at = fold(t, requests.Projection, privacyrequest.Stream(id), person, received, fulfilled)
	got, err = requests.Open(t.Context(), tables, 10)
	equal(t, got, err, nil)
	want.FulfilledAt, want.Erasure = at[1], fulfilled
	got, err = requests.Of(t.Context(), tables, acct, person)
	equal(t, got, err, []requests.Request{want})
	got, err = requests.Recent(t.Context(), tables, acct, 0, 10)
	equal(t, got, err, []requests.Request{want})
}
