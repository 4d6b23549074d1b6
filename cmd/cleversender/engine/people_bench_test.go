package engine

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/keyring"
	keysqlite "github.com/cleversender/cleversender/adapters/keyring/sqlite"
	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/adapters/readmodel/sqlite"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections"
	"github.com/cleversender/cleversender/projections/audience"
)

// known is people of one import: their keys, and the view of the audience.
type known struct {
	keys    *keysqlite.Store
	model   readmodel.Model
	journal *eventlog.Journal
	people  []domain.ID
}

var theAccount, theList = domain.ID{15: 1}, domain.ID{15: 2}

func know(b *testing.B, n int) *known {
	b.Helper()
	ctx, dir := context.Background(), b.TempDir()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	uri := "file://" + dir + "/root.key"
	must(keyring.CreateRootKey(uri))
	keys, err := keysqlite.Open(ctx, dir+"/keys.db", uri)
	must(err)
	models, err := sqlite.New(filepath.Join(dir, "models"))
	must(err)
	model, err := models.Open(ctx, "audience", audience.Projection.Tables)
	must(err)
	k := &known{keys, model, eventlog.NewJournal(nil, catalog.All, keys, time.Now), make([]domain.ID, n)}
	b.Cleanup(func() { _, _ = k.keys.Close(), model.Close() })
	at := event.Position(1)
	apply := func(events []event.Recorded) {
		from := at - 1
		for i := range events {
			events[i].Position, events[i].At = at, time.Unix(1_770_000_000, 0).UTC()
			at++
		}
		must(model.Apply(ctx, readmodel.Batch{From: from, Next: at - 1, Fold: func(r projections.Rows) error { return audience.Projection.Fold(r, events) }}))
	}
	apply([]event.Recorded{{Stream: list.Stream(theList), Revision: 1, Meta: event.Meta{Account: theAccount}, Data: list.Created{Name: "list"}}})
	for first := 0; first < n; first += 500 {
		refs := make([]personal.KeyRef, 500)
		for i := range refs {
			id := &k.people[first+i]
			binary.BigEndian.PutUint64(id[:], uint64(1_770_000_000_000+(first+i)/30)<<16|0x7000)
			binary.BigEndian.PutUint64(id[8:], uint64(first+i+1)<<20|1<<63)
			refs[i] = personal.KeyRef{Subject: *id, Class: personal.Identity}
		}
		aeads, err := keys.Ensure(ctx, refs)
		must(err)
		var events []event.Recorded
		for i, ref := range refs {
			stream := subscriber.Stream(ref.Subject)
			added := subscriber.Added{
				Email: personal.Of(fmt.Sprintf("person.number%d@mail%d.example", first+i, i)), Name: personal.Of("Somebody Else"),
				Attributes: personal.FieldsOf(map[string]string{"city": "Aarhus", "plan": "free"}), Source: subscriber.SourceImport,
			}
			id := ref.Subject.Derive("added")
			for field, v := range map[string]personal.Value{"email": &added.Email, "name": &added.Name, "attributes": &added.Attributes} {
				v.Seal(func(plain []byte) []byte {
					return eventlog.Seal(aeads[i], plain, eventlog.AAD(theAccount, stream, id, field))
				})
			}
			meta := event.Meta{Account: theAccount, Subject: ref.Subject}
			events = append(events,
				event.Recorded{Stream: stream, Revision: 1, ID: id, Meta: meta, Data: added},
				event.Recorded{Stream: stream, Revision: 2, Meta: meta, Data: subscriber.Joined{List: theList}},
				event.Recorded{Stream: stream, Revision: 3, Meta: meta, Data: consent.Asserted{
					Purposes: []consent.Purpose{consent.Mailing, consent.OpenTracking, consent.ClickTracking}, List: theList,
				}})
		}
		apply(events)
	}
	must(keys.Close())
	k.keys, err = keysqlite.Open(ctx, dir+"/keys.db", uri)
	must(err)
	k.journal = eventlog.NewJournal(nil, catalog.All, k.keys, time.Now)
	return k
}

func (k *known) permissions(b *testing.B, people []domain.ID) []audience.Permission {
	ps, err := audience.Permissions(b.Context(), k.model, theAccount, []domain.ID{theList}, people)
	if err != nil {
		b.Fatal(err)
	}
	return ps
}

func (k *known) open(b *testing.B, people []domain.ID, ps []audience.Permission) {
	values := make([]eventlog.SealedValue, 0, 3*len(ps))
	for i := range ps {
		sealed := eventlog.SealedValue{
			Account: theAccount, Subject: people[i], Event: ps[i].SealedBy, Stream: subscriber.Stream(people[i]), Class: personal.Identity,
		}
		email, name, attributes := sealed, sealed, sealed
		email.Field, email.Value = "email", &ps[i].Email
		name.Field, name.Value = "name", &ps[i].Name
		attributes.Field, attributes.Value = "attributes", &ps[i].Attributes
		values = append(values, email, name, attributes)
	}
	if err := k.journal.OpenValues(b.Context(), values); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkWhoIsNext is what sending asks about a chunk of an import of 100,000,
// in list order; a unit is a person.
func BenchmarkWhoIsNext(b *testing.B) {
	const all, chunk = 100_000, 200
	k := know(b, all)
	at := 0
	next := func() []domain.ID {
		at = (at + chunk) % all
		return k.people[at : at+chunk]
	}
	perPerson := func(b *testing.B) { b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/chunk, "ns/person") }
	b.Run("permissions", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			k.permissions(b, next())
		}
		perPerson(b)
	})
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			people := next()
			ps := k.permissions(b, people)
			k.open(b, people, ps)
			for i := range ps {
				if email, ok := ps[i].Email.Reveal(); !ok || email == "" {
					b.Fatal("nobody")
				}
				ps[i].Name.Reveal()
				ps[i].Attributes.Reveal()
			}
		}
		perPerson(b)
	})
}
