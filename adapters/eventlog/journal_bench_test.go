package eventlog_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/adapters/eventlog/sqlite"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// imported is what an import writes: people, three events each.
func imported(first, n int) []eventlog.Write {
	writes := make([]eventlog.Write, n)
	for i := range writes {
		person := logtest.ID(uint64(first + i + 1))
		meta := event.Meta{Account: logtest.ID(1), Subject: person, Actor: logtest.ID(2), Correlation: logtest.ID(3), Causation: logtest.ID(3)}
		writes[i] = eventlog.Write{Stream: "subscriber-" + person.String(), Events: []event.Draft{
			{ID: person.Derive("0"), Meta: meta, Data: subscriber.Added{
				Email: personal.Of("somebody.else@example.com"), Name: personal.Of("Somebody Else"),
				Attributes: personal.FieldsOf(map[string]string{"city": "Aarhus", "plan": "free"}), Import: logtest.ID(9), Row: first + i,
			}},
			{ID: person.Derive("1"), Meta: meta, Data: subscriber.Joined{List: logtest.ID(8)}},
			{ID: person.Derive("2"), Meta: meta, Data: consent.Asserted{List: logtest.ID(8), Import: logtest.ID(9), Row: first + i}},
		}}
	}
	return writes
}

// sent is what a sender writes: 500 results at a time.
func sent(first int) []event.Draft {
	drafts := make([]event.Draft, 500)
	for i := range drafts {
		person := logtest.ID(uint64(first + i + 1))
		drafts[i] = event.Draft{
			ID: person.Derive("sent"), Meta: event.Meta{Account: logtest.ID(1), Subject: person, Correlation: logtest.ID(3), Causation: logtest.ID(3)},
			Data: delivery.Withheld{Campaign: logtest.ID(4), Ordinal: first + i, Reason: delivery.Revoked},
		}
	}
	return drafts
}

func openJournal(b *testing.B) (*eventlog.Journal, *sqlite.Log) {
	log, err := sqlite.Open(context.Background(), filepath.Join(b.TempDir(), "events.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = log.Close() })
	return eventlog.NewJournal(log, catalog.All, newKeys(), time.Now), log
}

// BenchmarkImport seals and writes people, 500 a bulk; a unit is a person.
func BenchmarkImport(b *testing.B) {
	j, _ := openJournal(b)
	b.ReportAllocs()
	for n := 0; n < b.N; n += 500 {
		_, errs := j.AppendBulk(context.Background(), imported(n, 500))
		for _, err := range errs {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "people/s")
}

// BenchmarkFollow reads and decodes the log in order; a unit is an event.
func BenchmarkFollow(b *testing.B) {
	j, log := openJournal(b)
	const people, results = 20_000, 60_000
	for n := 0; n < people; n += 500 {
		j.AppendBulk(context.Background(), imported(n, 500))
	}
	for n := 0; n < results; n += 500 {
		if _, err := j.Append(context.Background(), "delivery", uint64(n), sent(n)...); err != nil {
			b.Fatal(err)
		}
	}
	head, _ := log.Head(context.Background())
	for name, types := range map[string][]string{"imported": {"subscriber.added", "subscriber.joined", "consent.asserted"}, "sent": {"send.withheld"}, "all": nil} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for n := 0; n < b.N; {
				for page, err := range j.Follow(context.Background(), 0, types, 500) {
					if err != nil {
						b.Fatal(err)
					}
					if n += len(page.Events); page.Next == head || n >= b.N {
						break
					}
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
