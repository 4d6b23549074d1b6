package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/cleversender/cleversender/cmd/cleversender/bench"
)

// bench send reports a campaign that reached everybody, beside a bare client,
// with the sink's count and our own process's work, and what signing adds to it.
func TestBenchSend(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "cleversender", "bench", "send", "--recipients", "300", "--dkim", "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var reports []bench.Report
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var r bench.Report
		if err := dec.Decode(&r); err != nil {
			t.Fatal(err)
		}
		reports = append(reports, r)
	}
	if len(reports) != 2 || reports[0].Bench != "send" || reports[1].Bench != "send+projections" {
		t.Fatalf("%s", out)
	}
	r := reports[0]
	for name, least := range map[string]float64{
		"sent": 300, "taken": 300, "recorded_with_consent": 300, "events": 10, "message_bytes": 6200, "rsa_us": 100, "plain_us": 1, "whole_to_rsa": 0.1,
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
