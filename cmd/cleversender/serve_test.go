package main

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cleversender/cleversender/cmd/cleversender/engine"
)

// A server that is told to stop in the middle of a campaign ends in order; the
// next one finishes the campaign by itself, everybody exactly once.
func TestStoppedInMidCampaign(t *testing.T) {
	const people = 2000
	sink, h := newSink(t), newHouse(t)
	first := h.serve(sink.URL())
	mailing, started := h.draft(people), make(chan struct{}) // by verbs that find the server
	sink.set(func() { sink.when[people/3] = func() { <-started; first.signal(syscall.SIGTERM) } })
	h.cli("campaign", "start", mailing)
	close(started)
	if code := first.wait(); code != exitOK {
		t.Errorf("the server exits with %d", code)
	}
	if n := sink.count(t); n < people/3 || n == people {
		t.Fatalf("%d of %d messages before the end: not in mid-campaign", n, people)
	}
	second := h.serve(sink.URL())
	r := second.finished(mailing)
	if r.Sent != people || r.Unknown != 0 || sink.count(t) != people {
		t.Errorf("%d sent, %d unknown; %d people got it, of %d", r.Sent, r.Unknown, sink.count(t), people)
	}
	second.signal(os.Interrupt)
	if code := second.wait(); code != exitOK {
		t.Errorf("the second server exits with %d", code)
	}
	for _, log := range []string{first.said(), second.said()} {
		if strings.Contains(log, `"level":"WARN"`) || strings.Contains(log, `"level":"ERROR"`) {
			t.Errorf("a server that was told to stop complains: %s", log)
		}
	}
}

// A token holds from the moment that it is shown, for the next process too.
func TestTokenHoldsAtOnce(t *testing.T) {
	for range 3 {
		newHouse(t).cli("list", "ls")
	}
}

// whole checks that the read models, as they came through it all, are what the
// log says.
func (h *house) whole() {
	h.t.Helper()
	ctx := h.t.Context()
	e, err := engine.Open(ctx, h.stores())
	if err != nil {
		h.t.Fatal(err)
	}
	if err := e.Settled(ctx); err != nil {
		h.t.Fatal(err)
	}
	all, err := e.Models.Compare(ctx, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, c := range all {
		if !c.Equal() {
			h.t.Errorf("projection %s is not what the log says", c.Name)
		}
	}
	if err := e.Close(ctx); err != nil {
		h.t.Error(err)
	}
}

// A second process on a folder is told which process holds it, and changes
// nothing for the first.
func TestSecondProcess(t *testing.T) {
	h := newHouse(t)
	first := h.serve("smtp://127.0.0.1:1")
	h.cli("list", "create", "News")
	for range 2 {
		var refusal struct{ Code, Error string }
		said := h.exits(exitBusy, "--json", "serve", "--listen", "127.0.0.1:0")
		if err := json.Unmarshal([]byte(said), &refusal); err != nil {
			t.Fatalf("%q: %v", said, err)
		}
		if refusal.Code != "folder_in_use" || !strings.HasSuffix(refusal.Error, " process "+strconv.Itoa(first.cmd.Process.Pid)) {
			t.Errorf("the second server says %+v, the first is process %d", refusal, first.cmd.Process.Pid)
		}
	}
	if said := h.exits(exitRefused, "init"); !strings.Contains(said, "initialised before") {
		t.Errorf("init of a folder in use says %q", said)
	}
	if status, _ := first.get("/readyz"); status != http.StatusOK {
		t.Errorf("afterwards the first answers %d", status)
	}
	if out := h.cli("list", "ls"); !strings.Contains(out, "News") {
		t.Errorf("afterwards the verbs see %q", out)
	}
	first.signal(syscall.SIGTERM)
	if code := first.wait(); code != exitOK {
		t.Errorf("the first exits with %d: %s", code, first.said())
	}
	if out := h.cli("list", "ls"); !strings.Contains(out, "News") { // from the folder
		t.Errorf("without a server the verbs see %q", out)
	}
	h.whole()
}
