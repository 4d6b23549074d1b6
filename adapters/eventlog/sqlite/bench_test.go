package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/domain/event"
)

const batch = 500

var sampleData = fmt.Appendf(nil, `{"email":"%s","name":"%s","list":"%s"}`,
	bytes.Repeat([]byte{'x'}, 60), bytes.Repeat([]byte{'y'}, 50), logtest.ID(7))

// sample makes n events of the size that an import makes.
func sample(first, n int) []event.Stored {
	events := make([]event.Stored, n)
	for i := range events {
		id := logtest.ID(uint64(first + i))
		events[i] = event.Stored{
			ID: id, Type: "subscriber.added", Version: 1, At: time.UnixMicro(1767323045000006).UTC(),
			Meta: event.Meta{Account: logtest.ID(1), Subject: id, Actor: logtest.ID(2), Correlation: logtest.ID(3), Causation: logtest.ID(3)},
			Data: sampleData,
		}
	}
	return events
}

// rates reports what a bench costs: the wall's rate and the processor's time,
// which other work on the machine disturbs less.
func rates(b *testing.B) func() {
	var before, after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	b.ResetTimer()
	return func() {
		b.StopTimer()
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
		cpu := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "units/s")
		b.ReportMetric(float64(cpu)/1000/float64(b.N), "cpu-us/unit")
	}
}

// BenchmarkRaw is the limit: the same bytes, plain prepared inserts of one
// table, in transactions of 500.
func BenchmarkRaw(b *testing.B) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "raw.db")+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE e (position INTEGER PRIMARY KEY, stream TEXT, revision INTEGER, type TEXT, version INTEGER, id BLOB, at INTEGER, account BLOB, subject BLOB, actor BLOB, correlation BLOB, causation BLOB, data BLOB)"); err != nil {
		b.Fatal(err)
	}
	insert, err := db.Prepare("INSERT INTO e VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		b.Fatal(err)
	}
	defer rates(b)()
	for n := 0; n < b.N; n += batch {
		tx, err := db.Begin()
		if err != nil {
			b.Fatal(err)
		}
		in := tx.Stmt(insert)
		for i, e := range sample(n, batch) {
			if _, err := in.Exec(n+i, "subscriber-0199f3a0-0000-7000-8000-000000000000", i, e.Type, e.Version, e.ID[:], e.At.UnixMicro(),
				e.Meta.Account[:], e.Meta.Subject[:], e.Meta.Actor[:], e.Meta.Correlation[:], e.Meta.Causation[:], e.Data); err != nil {
				b.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppend500 appends 500 events at a time to one stream; a unit is an event.
func BenchmarkAppend500(b *testing.B) {
	log := open(b, b.TempDir())
	defer rates(b)()
	for n := 0; n < b.N; n += batch {
		if _, err := log.Append(context.Background(), eventlog.Append{
			Stream: "delivery-0199f3a0-0000-7000-8000-000000000000_1", Expect: uint64(n), Events: sample(n, batch),
		}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNewStreams appends 3 events to a new stream each, 500 streams a
// bulk, as an import does; a unit is a stream.
func BenchmarkNewStreams(b *testing.B) {
	log := open(b, b.TempDir())
	defer rates(b)()
	for n := 0; n < b.N; n += batch {
		bulk := make([]eventlog.Append, batch)
		for i := range bulk {
			bulk[i] = eventlog.Append{Stream: "subscriber-" + logtest.ID(uint64(n+i+1)).String(), Events: sample((n+i)*3, 3)}
		}
		_, errs := log.AppendBulk(context.Background(), bulk)
		for _, err := range errs {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkFollow reads the log in order; a unit is an event.
func BenchmarkFollow(b *testing.B) {
	const events = 200_000
	dir := b.TempDir()
	log := open(b, dir)
	for n := 0; n < events; n += batch {
		if _, err := log.Append(context.Background(), eventlog.Append{Stream: "s", Expect: uint64(n), Events: sample(n, batch)}); err != nil {
			b.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		b.Fatal(err)
	}
	log = open(b, dir)
	for name, types := range map[string][]string{"all": nil, "one type": {"subscriber.added"}, "no type": {"subscriber.added2"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			defer rates(b)()
			for n := 0; n < b.N; {
				for page, err := range log.Follow(context.Background(), 0, types, batch) {
					if err != nil {
						b.Fatal(err)
					}
					if n += len(page.Events); page.Next == events || n >= b.N {
						break
					}
				}
				if name == "no type" {
					n += events
				}
			}
		})
	}
}

// BenchmarkCommands appends one event at a time from many callers, who share transactions.
func BenchmarkCommands(b *testing.B) {
	log := open(b, b.TempDir())
	defer rates(b)()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			e := sample(0, 1)
			if _, err := log.Append(context.Background(), eventlog.Append{Stream: "s-" + logtest.ID(uint64(time.Now().UnixNano())).String() + fmt.Sprintf("%p", &e[0]), Events: e}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkReadStream reads a short stream, as each command does.
func BenchmarkReadStream(b *testing.B) {
	log := open(b, b.TempDir())
	for n := range 100 {
		if _, err := log.Append(context.Background(), eventlog.Append{Stream: "subscriber-" + logtest.ID(uint64(n+1)).String(), Events: sample(n*3, 3)}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		events := 0
		for batch, err := range log.ReadStream(context.Background(), "subscriber-"+logtest.ID(uint64(n%100+1)).String(), 0, 1000) {
			if err != nil {
				b.Fatal(err)
			}
			events += len(batch)
		}
		if events != 3 {
			b.Fatal(events)
		}
	}
}
