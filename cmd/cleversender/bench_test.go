package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog/eventstoredb"
	"github.com/cleversender/cleversender/adapters/eventlog/eventstoredb/esdbtest"
	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/cmd/cleversender/bench"
)

var benchSize = flag.Int("bench.size", 300, "how large the measurements on EventStoreDB are")

// bench measures on a log by URL; with -bench.size, in earnest.
func TestBenchOnEventStoreDB(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"append", "rebuild", "send", "track"} {
		url := esdbtest.Start(t, 1, esdbtest.MaxAppendSize(eventstoredb.MaxAppendSize)).URL() // each wants an empty one
		for _, r := range benched(t, name, "--log", url, "--size", strconv.Itoa(*benchSize)) {
			t.Logf("%s: %.0f/s, %.1f us of CPU", r.Bench, r.PerSecond, r.CPUPerUnit)
			if r.Backend != "esdb+sqlite" || r.Units < *benchSize/10 || r.PerSecond <= 0 {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}

// bench measures on PostgreSQL, beside a bare table there, with the password in a file.
func TestBenchOnPostgreSQL(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url := pgtest.Database(t) + "&password_file=" + file
	for _, r := range benched(t, "append", "--log", url, "--size", "1000") {
		if r.Backend != "postgres+sqlite" || r.LimitPerSecond <= 0 || r.PerSecond <= 0 {
			t.Errorf("%+v", r)
		}
	}
}

// benched is what bench reports.
func benched(t *testing.T, args ...string) (reports []bench.Report) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "cleversender", append([]string{"bench", "--json"}, args...)...)
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var r bench.Report
		if err := dec.Decode(&r); err != nil {
			t.Fatal(err)
		}
		reports = append(reports, r)
	}
	if len(reports) == 0 {
		t.Fatalf("%q: no report", args)
	}
	return reports
}

// bench send reports a campaign that reached everybody, beside a bare client,
// with the sink's count and our own process's work, and what signing adds to it.
func TestBenchSend(t *testing.T) {
	reports := benched(t, "send", "--recipients", "300", "--dkim")
	if len(reports) != 2 || reports[0].Bench != "send" || reports[1].Bench != "send+projections" {
		t.Fatalf("%+v", reports)
	}
	r := reports[0]
	for name, least := range map[string]float64{
		"sent": 300, "taken": 300, "recorded_with_consent": 300, "events": 10, "message_bytes": 6200, "rsa_us": 100, "rsa_made": 5, "plain_us": 1, "whole_to_rsa": 0.1,
		"wire_per_second": 1, "limit_cpu_us": 0.1, "connections": 1,
	} {
		if got, _ := r.Extra[name].(float64); got < least {
			t.Errorf("%s is %v, want at least %v", name, r.Extra[name], least)
		}
	}
	for _, name := range []string{"dkim_added_us", "added_to_rsa"} { // of 300 messages, either may be anything
		if _, ok := r.Extra[name].(float64); !ok {
			t.Errorf("%s is %v", name, r.Extra[name])
		}
	}
	if r.Units != 300 || r.PerSecond <= 0 || r.CPUPerUnit <= 0 || r.LimitPerSecond <= 0 || r.RatioToLimit <= 0 {
		t.Errorf("%+v", r)
	}
}
