package demo_test

import (
	"io"
	"log/slog"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/desk/canary"
	"github.com/cleversender/cleversender/adapters/eventlog/eventstoredb"
	"github.com/cleversender/cleversender/adapters/eventlog/eventstoredb/esdbtest"
	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/cmd/cleversender/demo"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// The story comes out the same wherever things are kept. How many events it
// takes depends on how many messages leave together.
func TestStoryOnAnyStore(t *testing.T) {
	database, other := pgtest.Database(t), pgtest.Database(t)
	streams := esdbtest.Start(t, 3, esdbtest.MaxAppendSize(eventstoredb.MaxAppendSize))
	var want demo.Summary
	for _, on := range []struct {
		name string
		engine.Stores
	}{
		{"sqlite", engine.Stores{}},
		{"postgres", engine.Stores{Log: database, ReadModels: database, Keys: database}},
		{"eventstoredb and postgres", engine.Stores{Log: streams.URL(), ReadModels: other, Keys: other}},
	} {
		var got demo.Summary
		o := demo.Options{Exit: true, Listen: "127.0.0.1:0", Story: io.Discard, Logger: slog.New(slog.DiscardHandler), Stores: on.Stores}
		if err := demo.Run(t.Context(), o, func(s demo.Summary) error { got = s; return nil }); err != nil {
			t.Errorf("on %s: %v", on.name, err)
			continue
		}
		if got.Events < got.Imported || !got.RebuildEqual || got.PlaintextAfter > 0 {
			t.Errorf("on %s: %+v", on.name, got)
		}
		if got.Events = 0; on.name == "sqlite" {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("on %s: -sqlite +%s\n%s", on.name, on.name, diff)
		}
	}
	needles := []string{"list.created", "wilhelmina.quill@example.org", "Wilhelmina Quill"} // a type of event, which is plain, and who was erased
	hits, err := canary.Search(pgtest.Folder(t, database), needles)
	if err != nil {
		t.Fatal(err)
	}
	found := make([]int, len(needles))
	for _, h := range hits {
		found[h.Needle]++
	}
	if found[0] == 0 || found[1]+found[2] > 0 {
		t.Errorf("in the files of PostgreSQL, write-ahead log included: %v of %q", found, needles)
	}
}
