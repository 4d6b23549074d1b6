package csvimport_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/csvimport/generate"
	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/sqlite"
	"github.com/cleversender/cleversender/adapters/keyring"
	keysqlite "github.com/cleversender/cleversender/adapters/keyring/sqlite"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/contactimport"
)

// A generated list has every fault there is, each recognised for what it is,
// and no other.
func TestImportGenerated(t *testing.T) {
	var file bytes.Buffer
	opt := generate.Options{Seed: 1, Rows: 2000, Duplicates: 25, Bad: 2000 / len(generate.FaultCodes)}
	if err := generate.Write(&file, opt); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	got := w.run(t, options(1), file.String())
	events, _ := w.stream(t, options(1).Import)
	var codes []string
	for _, e := range events {
		if r, ok := e.(contactimport.RowsRejected); ok {
			for _, row := range r.Rows {
				codes = append(codes, row.Code)
			}
		}
	}
	// The second line of the name with a line break in it belongs to its row.
	if diff := cmp.Diff(generate.FaultCodes, codes); diff != "" {
		t.Errorf("faults: -want +got\n%s", diff)
	}
	if n := got.Counts; n.Added < 1850 || n.Unchanged < 50 || n.Updated != 0 {
		t.Errorf("counts %+v", n)
	}
	if again := w.run(t, options(2), file.String()).Counts; again.Added != 0 || again.Updated != 0 || again.Rejected != len(codes) {
		t.Errorf("again: %+v", again)
	}
}

// BenchmarkImport is the whole way of a row into the log on disk: read,
func BenchmarkImport(b *testing.B) {
	dir := b.TempDir()
	uri := "file://" + filepath.Join(dir, "root.key")
	if err := keyring.CreateRootKey(uri); err != nil {
		b.Fatal(err)
	}
	keys, err := keysqlite.Open(b.Context(), filepath.Join(dir, "keys.db"), uri)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = keys.Close() }()
	log, err := sqlite.Open(b.Context(), filepath.Join(dir, "events.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	w := &world{Journal: eventlog.NewJournal(log, catalog.All, keys, time.Now), keys: keys}
	w.log = w.Journal
	do(b, w, news, commands.CreateList{List: news, Name: "News"})
	file, err := os.CreateTemp(dir, "*.csv")
	if err != nil {
		b.Fatal(err)
	}
	if err := generate.Write(file, generate.Options{Rows: b.N, Duplicates: 100}); err != nil {
		b.Fatal(err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	cpu := cpuTime()
	result, err := w.importer().Import(b.Context(), options(1), file)
	if err != nil || result.Counts.Rejected > 0 {
		b.Fatal(result, err)
	}
	b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/float64(b.N), "cpu-us/row")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(peakMB(), "peak-MB")
}

func peakMB() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb := 0.0
			for _, c := range strings.TrimSpace(rest) {
				if c < '0' || c > '9' {
					break
				}
				kb = kb*10 + float64(c-'0')
			}
			return kb / 1024
		}
	}
	return 0
}
