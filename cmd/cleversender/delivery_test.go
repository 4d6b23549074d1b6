package main

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/domain/campaign"
)

// held waits until a campaign is paused, and says why it is.
func (s *server) held(id string) string {
	s.t.Helper()
	var c api.Campaign
	for c.Status != campaign.Held {
		if err := s.api.Call(s.t.Context(), http.MethodGet, "/campaigns/"+id, nil, &c); err != nil {
			s.t.Fatalf("%v: %s", err, s.said())
		}
		time.Sleep(10 * time.Millisecond)
	}
	return c.Reason
}

// While the first server is away the second one sends, and says so; a campaign
// may name its server.
func TestFailover(t *testing.T) {
	t.Parallel()
	backup, h := newSink(t), newHouse(t)
	s := h.serve("smtp://127.0.0.1:1?name=main", "--smtp", backup.URL()+"?name=backup&priority=1")
	mailing := h.draft(20)
	h.cli("campaign", "start", mailing)
	if r := s.finished(mailing); r.Sent != 20 || backup.count(t) != 20 {
		t.Errorf("%d sent, %d taken by the second server, want 20", r.Sent, backup.count(t))
	}
	if out := h.cli("--json", "events", "--types", "sends.accepted"); !strings.Contains(out, `"server":"backup"`) {
		t.Errorf("the log does not say who took the messages: %s", out)
	}
	_, metrics := s.get("/metrics")
	for _, line := range []string{`cleversender_server_resting{server="main"} 1`, `cleversender_server_messages_total{result="accepted",server="backup"} 20`} {
		if !strings.Contains(metrics, line) {
			t.Errorf("no %s in the metrics", line)
		}
	}
	if said := h.exits(exitRefused, "campaign", "draft", "--name", "June", "--mail-server", "elsewhere"); !strings.Contains(said, "unknown_server") {
		t.Errorf("a server that is not there is refused with %q", said)
	}
}

// A server that does not trust the sender pauses the campaign, which says why;
// once it does, the campaign is resumed and reaches everybody else.
func TestWall(t *testing.T) {
	t.Parallel()
	const people = 300
	mail, h := newSink(t), newHouse(t)
	mail.set(func() {
		mail.wall = &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 7, 515}, Message: "Access denied"}
	})
	s := h.serve(mail.URL(), "--connections", "1")
	mailing := h.draft(people)
	h.cli("campaign", "start", mailing)
	if reason := s.held(mailing); !strings.HasPrefix(reason, "unauthenticated: ") || !strings.Contains(reason, "550 5.7.515") {
		t.Errorf("paused by %q", reason)
	}
	if out := h.cli("campaign", "show", mailing); !strings.Contains(out, "unauthenticated: ") {
		t.Errorf("show says %s", out)
	}
	mail.set(func() { mail.wall = nil })
	h.cli("campaign", "resume", mailing)
	if r := s.finished(mailing); r.Failed == 0 || r.Failed > people/2 || r.Sent != people-r.Failed || mail.count(t) != r.Sent {
		t.Errorf("%d sent, %d failed, %d taken", r.Sent, r.Failed, mail.count(t))
	}
}

// A throttle that is changed holds from the next message on.
func TestThrottle(t *testing.T) {
	mail, h := newSink(t), newHouse(t)
	s := h.serve(mail.URL(), "--rate", "1000/s", "--account-rate", "60000/m", "--domain-limit", "example.org=1000/s,4", "--retries", "1m,5m")
	mailing := h.draft(20)
	h.cli("campaign", "throttle", mailing, "--per-hour", "1")
	h.cli("campaign", "start", mailing)
	for mail.count(t) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	if out := h.cli("campaign", "show", mailing); !strings.Contains(out, "per hour") {
		t.Errorf("show says %s", out)
	}
	if n := mail.count(t); n != 1 {
		t.Errorf("%d messages leave at one an hour", n)
	}
	h.cli("campaign", "throttle", mailing, "--per-hour", "0")
	if r := s.finished(mailing); r.Sent != 20 || mail.count(t) != 20 {
		t.Errorf("%d sent, %d taken", r.Sent, mail.count(t))
	}
}

// What a new sender has sent today still counts after a restart.
func TestWarmup(t *testing.T) {
	mail, h := newSink(t), newHouse(t)
	first := h.serve(mail.URL(), "--warmup", "example.org=5,10")
	mailing := h.draft(20)
	h.cli("campaign", "start", mailing)
	left := func(s *server, want int) {
		t.Helper()
		for {
			if _, metrics := s.get("/metrics"); strings.Contains(metrics, fmt.Sprintf("cleversender_warmup_left{from=%q} %d\n", "example.org", want)) {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	for mail.count(t) < 5 {
		time.Sleep(10 * time.Millisecond)
	}
	left(first, 0)
	first.signal(syscall.SIGTERM)
	first.wait()
	second := h.serve(mail.URL(), "--warmup", "example.org=7,10")
	for mail.count(t) < 7 {
		time.Sleep(10 * time.Millisecond)
	}
	left(second, 0)
	if n := mail.count(t); n != 7 {
		t.Errorf("%d messages left on a day of 7", n)
	}
}
