package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/adapters/eventlog/postgres"
	"github.com/cleversender/cleversender/adapters/pgtest"
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

// safe is a database of a server that waits for the disk, as it must in earnest.
func safe(b *testing.B) string {
	b.Helper()
	cluster := pgtest.Own(b, "fsync=on", "shared_buffers=256MB", "max_wal_size=4GB")
	url, err := cluster.Create(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return url
}

func perSecond(b *testing.B) { b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "units/s") }

// BenchmarkRaw is the limit: COPY of the same bytes into one table without
// index, in transactions of 500.
func BenchmarkRaw(b *testing.B) {
	url := safe(b)
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	columns := []string{"position", "stream", "revision", "type", "version", "id", "at", "account", "subject", "actor", "correlation", "causation", "data"}
	if _, err := conn.Exec(ctx, `CREATE TABLE raw (position bigint, stream text, revision bigint, type text, version int, id uuid, at timestamptz,
		account uuid, subject uuid, actor uuid, correlation uuid, causation uuid, data bytea)`); err != nil {
		b.Fatal(err)
	}
	for n := 0; b.Loop(); n += batch {
		events := sample(n, batch)
		if _, err := conn.CopyFrom(ctx, pgx.Identifier{"raw"}, columns, pgx.CopyFromSlice(batch, func(i int) ([]any, error) {
			e := &events[i]
			return []any{
				int64(n + i), "delivery-0199f3a0-0000-7000-8000-000000000000_1", int64(n + i), e.Type, int32(e.Version), [16]byte(e.ID), e.At,
				[16]byte(e.Meta.Account), [16]byte(e.Meta.Subject), [16]byte(e.Meta.Actor), [16]byte(e.Meta.Correlation), [16]byte(e.Meta.Causation), e.Data,
			}, nil
		})); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(batch*b.N)/b.Elapsed().Seconds(), "units/s")
}

// BenchmarkAppend500 appends 500 events at a time to one stream; a unit is an event.
func BenchmarkAppend500(b *testing.B) {
	log := open(b, safe(b))
	for n := 0; b.Loop(); n += batch {
		if _, err := log.Append(context.Background(), eventlog.Append{
			Stream: "delivery-0199f3a0-0000-7000-8000-000000000000_1", Expect: uint64(n), Events: sample(n, batch),
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(batch*b.N)/b.Elapsed().Seconds(), "units/s")
}

// BenchmarkNewStreams appends 3 events to a new stream each, 500 streams a
// bulk, as an import does; a unit is a stream.
func BenchmarkNewStreams(b *testing.B) {
	log := open(b, safe(b))
	for n := 0; b.Loop(); n += batch {
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
	b.ReportMetric(float64(batch*b.N)/b.Elapsed().Seconds(), "units/s")
}

// BenchmarkLarge appends and reads events of 12 kB, as the intents of a chunk are.
func BenchmarkLarge(b *testing.B) {
	url := safe(b)
	log := open(b, url, postgres.KeepTail(1))
	data := []byte(`{"subjects":"`)
	for i := uint64(1); len(data) < 12_000; i++ {
		data = append(append(data, logtest.ID(i*0x9E3779B97F4A7C15).Derive("x").String()...), ',')
	}
	data = append(data, `"}`...)
	b.Run("append", func(b *testing.B) {
		head, _ := log.Head(b.Context())
		for n := uint64(head); b.Loop(); n += 10 {
			events := sample(int(n), 10)
			for i := range events {
				events[i].Data = data
			}
			if _, err := log.Append(context.Background(), eventlog.Append{Stream: "delivery", Expect: n, Events: events}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(10*b.N)/b.Elapsed().Seconds(), "units/s")
	})
	b.Run("follow", func(b *testing.B) { follow(b, log, nil) })
}

// follow reads the log again and again until it has seen b.N events.
func follow(b *testing.B, log eventlog.Log, types []string) {
	head, err := log.Head(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		for page, err := range log.Follow(context.Background(), 0, types, batch) {
			if err != nil {
				b.Fatal(err)
			}
			if n += len(page.Events); page.Next >= head || n >= b.N {
				break
			}
		}
		if types != nil && types[0] == "none" {
			n += int(head)
		}
	}
	perSecond(b)
}

// BenchmarkFollow reads the log in order; a unit is an event.
func BenchmarkFollow(b *testing.B) {
	url := safe(b)
	log := open(b, url)
	for n := 0; n < 200_000; n += batch {
		if _, err := log.Append(context.Background(), eventlog.Append{Stream: "s", Expect: uint64(n), Events: sample(n, batch)}); err != nil {
			b.Fatal(err)
		}
	}
	log = open(b, url)
	for name, types := range map[string][]string{"all": nil, "one type": {"subscriber.added"}, "no type": {"none"}} {
		b.Run(name, func(b *testing.B) { follow(b, log, types) })
	}
}

// BenchmarkCommands appends one event at a time from many callers, who share transactions.
func BenchmarkCommands(b *testing.B) {
	log := open(b, safe(b))
	var streams atomic.Uint64
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := log.Append(context.Background(), eventlog.Append{
				Stream: "s-" + strconv.FormatUint(streams.Add(1), 10), Events: sample(0, 1),
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
	perSecond(b)
}

// BenchmarkReadStream reads a short stream, as each command does.
func BenchmarkReadStream(b *testing.B) {
	log := open(b, safe(b))
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
