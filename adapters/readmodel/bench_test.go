package readmodel_test

import (
	"context"
	"iter"
	"syscall"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/adapters/readmodel/sqlite"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections"
	"github.com/cleversender/cleversender/projections/campaignreport"
	all "github.com/cleversender/cleversender/projections/catalog"
	"github.com/cleversender/cleversender/projections/projectiontest"
)

// fixed is a log that is all there, and costs nothing to read.
type fixed struct {
	*eventlog.Journal
	events []event.Stored
}

func (f *fixed) Head(context.Context) (event.Position, error) {
	return event.Position(len(f.events)), nil
}

func (f *fixed) FollowStored(_ context.Context, after event.Position, _ []string, batch int) iter.Seq2[eventlog.Page, error] {
	return func(yield func(eventlog.Page, error) bool) {
		for at := int(after); at < len(f.events); {
			n := min(len(f.events)-at, batch)
			if !yield(eventlog.Page{Events: f.events[at : at+n], Next: event.Position(at + n)}, nil) {
				return
			}
			at += n
		}
	}
}

func (f *fixed) add(stream string, revision uint64, subject domain.ID, data any) {
	n := len(f.events) + 1
	e := event.Stored{
		Stream: stream, Revision: revision, Position: event.Position(n), ID: projectiontest.ID(projectiontest.Event, n),
		At: time.Unix(1_770_000_000+int64(n/1000), 0).UTC(), Meta: event.Meta{Account: account, Subject: subject},
	}
	var err error
	if e.Type, e.Version, e.Data, err = catalog.All.Encode(data); err != nil {
		panic(err)
	}
	f.events = append(f.events, e)
}

func imported(rows int) *fixed {
	f := &fixed{Journal: eventlog.NewJournal(nil, catalog.All, noKeys{}, time.Now)}
	f.add(list.Stream(aList), 1, domain.ID{}, list.Created{Name: "list"})
	file := projectiontest.ID(projectiontest.Import, 0)
	for i := range rows {
		id := projectiontest.ID(projectiontest.Person, i)
		stream := subscriber.Stream(id)
		f.add(stream, 1, id, subscriber.Added{
			Email: personal.SealedText(make([]byte, 50)), Name: personal.SealedText(make([]byte, 42)),
			Attributes: personal.SealedFields(make([]byte, 90)), Source: subscriber.SourceImport, Import: file, Row: i,
		})
		f.add(stream, 2, id, subscriber.Joined{List: aList})
		f.add(stream, 3, id, consent.Asserted{Purposes: []consent.Purpose{consent.Mailing}, List: aList, Import: file, Row: i})
	}
	return f
}

func sent(people int) *fixed {
	f := imported(0)
	id := projectiontest.ID(projectiontest.Campaign, 0)
	f.add(campaign.Stream(id), 1, domain.ID{}, campaign.Started{})
	for i := range people {
		person := projectiontest.ID(projectiontest.Person, i/200*200+i%200)
		stream := delivery.Stream(id, i/1000)
		if i%200 == 0 {
			sends := delivery.Intended{Campaign: id, Subjects: make(delivery.Subjects, 200), Consents: make([]event.Position, 200)}
			for k := range sends.Subjects {
				sends.Subjects[k], sends.Ordinals = projectiontest.ID(projectiontest.Person, i+k), append(sends.Ordinals, i+k)
			}
			f.add(stream, uint64(i), domain.ID{}, sends)
			f.add(stream, uint64(i+1), domain.ID{}, delivery.Accepted{Campaign: id, Subjects: sends.Subjects, Ordinals: sends.Ordinals, Code: 250})
		}
		f.add(stream, uint64(i), person, delivery.Deferred{Campaign: id, Ordinal: i, Code: 451})
	}
	return f
}

// What one event costs, on a log that costs nothing: in the wall's time, and in the CPU's (of this process).
func BenchmarkRebuild(b *testing.B) {
	for _, c := range []struct {
		name  string
		make  func(int) *fixed
		hosts []projections.Projection
	}{
		{"import", imported, all.All},
		{"import/audience", imported, all.All[:1]},
		{"import/subjectindex", imported, all.All[1:2]},
		{"sends", sent, all.All},
		{"sends/report", sent, []projections.Projection{campaignreport.Projection}},
	} {
		b.Run("sqlite/"+c.name, func(b *testing.B) {
			store, err := sqlite.New(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			benchmarkRebuild(b, store, c.make(100_000), c.hosts)
		})
		b.Run("postgres/"+c.name, func(b *testing.B) {
			benchmarkRebuild(b, inPostgres(b, pgtest.Database(b)), c.make(100_000), c.hosts)
		})
	}
}

func benchmarkRebuild(b *testing.B, store readmodel.Store, f *fixed, hosts []projections.Projection) {
	h, err := readmodel.NewHost(b.Context(), readmodel.Options{Source: f, Store: store, Projections: hosts})
	if err != nil {
		b.Fatal(err)
	}
	before := cpu()
	for b.Loop() {
		if err := h.RebuildAll(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
	}
	events := float64(len(f.events) * b.N)
	b.ReportMetric(b.Elapsed().Seconds()*1e6/events, "µs/event")
	b.ReportMetric(float64(cpu()-before)/1e3/events, "cpu-µs/event")
	b.ReportMetric(0, "ns/op")
	if err := h.Close(); err != nil {
		b.Fatal(err)
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
