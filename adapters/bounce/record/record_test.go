package record_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	report "github.com/cleversender/cleversender/adapters/bounce"
	"github.com/cleversender/cleversender/adapters/bounce/record"
	"github.com/cleversender/cleversender/adapters/tracking"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// dsn is a notification that a message failed (RFC 3464), which quotes id.
func dsn(status, id string) []byte {
	return []byte(strings.ReplaceAll(fmt.Sprintf(`From: MAILER-DAEMON@mx.example.com
Subject: Undelivered Mail
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; secret@example.com
Action: failed
Status: %s
Diagnostic-Code: smtp; 550 secret words

--b
Content-Type: text/rfc822-headers

Message-ID: <%s>

--b--
`, status, id), "\n", "\r\n"))
}

// A notification to a return path is recorded with the person whom the message
// went to, whichever segment they are in, and what it says of the mailbox counts.
func TestMail(t *testing.T) {
	w := newWorld(t, 3, 3, 2)
	for ordinal, kind := range []string{"hard", "soft", "block", "hard", "hard", "hard", "hard", "hard"} {
		status := map[string]string{"hard": "5.1.1", "soft": "5.2.2", "block": "5.7.23"}[kind]
		if err := w.Mail(t.Context(), bounce.Intake, strings.ToUpper(w.path(ordinal)), dsn(status, "x@y")); err != nil {
			t.Fatal(err)
		}
		want := kind
		if kind == "hard" {
			want = "hard suppressed:hard_bounce"
		}
		if got := w.told(ordinal); got != want {
			t.Errorf("recipient %d: %s, want %s", ordinal, got, want)
		}
	}
	past, err := w.journal.Load(t.Context(), subscriber.Stream(person(7)))
	if err != nil {
		t.Fatal(err)
	}
	got := past[1].Data.(bounce.Received)
	if words, _ := got.Diagnostic.Reveal(); words != "550 secret words" || got.Status != "5.1.1" || got.Source != bounce.Intake || !got.At.Equal(noon) ||
		got.Letter() != (bounce.Letter{Campaign: campaign, Ordinal: 7}) || past[1].Meta.Subject != person(7) || past[1].Meta.Account != account {
		t.Errorf("%+v: %q", past[1], words)
	}
}

// Segments of other sizes than the first are found.
func TestSegmentsOfManySizes(t *testing.T) {
	for _, sizes := range [][]int{{1}, {1, 5, 1, 2}, {5, 1, 1, 1}, {2, 7}, {7, 2, 2, 2, 9}} {
		w := newWorld(t, sizes...)
		n := 0
		for _, size := range sizes {
			n += size
		}
		for ordinal := range n {
			if err := w.Mail(t.Context(), bounce.Intake, w.path(ordinal), dsn("5.1.1", "x@y")); err != nil {
				t.Fatal(err)
			}
			if w.told(ordinal) == "" {
				t.Errorf("%v: recipient %d is not found", sizes, ordinal)
			}
		}
		if err := w.Mail(t.Context(), bounce.Intake, w.path(n), dsn("5.1.1", "x@y")); err != nil || !strings.Contains(w.counted(), "unknown intake 1") {
			t.Errorf("%v: a recipient too many: %v, %s", sizes, err, w.counted())
		}
	}
}

// What is not ours is counted and said, and changes nothing.
func TestNotObeyed(t *testing.T) {
	other := domain.ID{9}
	for name, c := range map[string]struct {
		to      func(w *world) string
		id      func(w *world) string
		counted string
	}{
		"a MAC that is not ours": {to: func(w *world) string { return strings.Replace(w.path(1), w.path(1)[:37], w.path(0)[:37], 1) }, counted: "hard forged intake 1"},
		"no return path of ours": {to: func(*world) string { return "postmaster@" + ours }, counted: "hard forged intake 1"},
		"at another domain": {
			to: func(w *world) string { return strings.Replace(w.path(0), ours, "bounces.example.net", 1) }, counted: "hard unknown intake 1",
		},
		"another campaign": {to: func(w *world) string { return w.signer.BounceAddress(other, 0, ours) }, counted: "hard unknown intake 1"},
		"nobody's ordinal": {to: func(w *world) string { return w.path(1 << 31) }, counted: "hard unknown intake 1"},
		"a message's second recipient": {
			to: func(w *world) string { return w.signer.BounceAddress(single, 1, ours) }, counted: "hard unknown intake 1",
		},
		"nothing at all":                {to: func(*world) string { return "" }, counted: "hard unknown intake 1"},
		"a Message-ID that is not ours": {to: func(*world) string { return "" }, id: func(w *world) string { return strings.ToLower(w.signer.MessageID(campaign, 0, "x")) }, counted: "hard unknown intake 1"},
		"a return path as a Message-ID": {to: func(*world) string { return "" }, id: func(w *world) string { return w.path(0) }, counted: "hard unknown intake 1"},
		"a Message-ID as a return path": {to: func(w *world) string { return w.signer.MessageID(campaign, 0, ours) }, counted: "hard forged intake 1"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 2)
			id := "x@y"
			if c.id != nil {
				id = c.id(w)
			}
			if err := w.Mail(t.Context(), bounce.Intake, c.to(w), dsn("5.1.1", id)); err != nil {
				t.Fatal(err)
			}
			if w.counted() != c.counted || w.told(0)+w.told(1) != "" {
				t.Errorf("counted %s; told %s %s", w.counted(), w.told(0), w.told(1))
			}
			if log := w.log.String(); !strings.Contains(log, "not obeyed") || strings.Contains(log, "secret") || strings.Contains(log, "@") {
				t.Errorf("log: %s", log)
			}
		})
	}
}

// A Message-ID of ours is as good as a return path: a mailbox that is not in the
// bounce domain, and providers, have nothing else.
func TestByMessageID(t *testing.T) {
	w := newWorld(t, 2)
	if err := w.Mail(t.Context(), bounce.Mailbox, "", dsn("5.1.1", w.signer.MessageID(campaign, 1, "example.org"))); err != nil {
		t.Fatal(err)
	}
	if w.told(1) != "hard suppressed:hard_bounce" || w.counted() != "hard recorded mailbox 1" {
		t.Error(w.told(1), w.counted())
	}
}

// A message outside every campaign leads to whom it went.
func TestSingleMessage(t *testing.T) {
	w := newWorld(t, 2)
	if err := w.Mail(t.Context(), bounce.Intake, w.signer.BounceAddress(single, tracking.NoOrdinal, ours), dsn("5.1.1", "x@y")); err != nil {
		t.Fatal(err)
	}
	if w.told(0) != "hard suppressed:hard_bounce" {
		t.Error(w.told(0))
	}
}

// A complaint counts; what a provider puts in the place of a word of the
// protocol is not kept, and does not keep the complaint from counting.
func TestComplaint(t *testing.T) {
	w := newWorld(t, 2)
	for ordinal, said := range []string{"abuse", "ann@example.com said so"} {
		found := report.Report{ID: "1", Kind: report.Complaint, Feedback: said, MessageID: w.signer.MessageID(campaign, ordinal, "x")}
		if err := w.Report(t.Context(), bounce.SES, found); err != nil {
			t.Fatal(err)
		}
		past, err := w.journal.Load(t.Context(), subscriber.Stream(person(ordinal)))
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"abuse", ""}[ordinal]
		if got := past[1].Data.(bounce.Complained); got.Feedback != want || w.told(ordinal) != "complaint suppressed:complaint" {
			t.Errorf("%+v: %s", got, w.told(ordinal))
		}
	}
}

// What somebody writes in the place of a status may be about a person, and is
// not kept.
func TestStatusIsOne(t *testing.T) {
	w := newWorld(t, 3)
	for ordinal, said := range []string{"5.1.1", "ann@example.com", "5.1.1 ann"} {
		found := report.Report{ID: "1", Kind: report.Block, Status: said, MessageID: w.signer.MessageID(campaign, ordinal, "x")}
		if err := w.Report(t.Context(), bounce.SES, found); err != nil {
			t.Fatal(err)
		}
		past, err := w.journal.Load(t.Context(), subscriber.Stream(person(ordinal)))
		if err != nil {
			t.Fatal(err)
		}
		if got := past[1].Data.(bounce.Received).Status; got != "" && got != "5.1.1" || (got == "") != (ordinal > 0) {
			t.Errorf("%q becomes %q", said, got)
		}
	}
}

// What says nothing of the mailbox, what is no mail, what is known already, and
// what is about the erased is ignored.
func TestIgnored(t *testing.T) {
	w := newWorld(t, 2)
	mail := func(data []byte) {
		t.Helper()
		if err := w.Mail(t.Context(), bounce.Intake, w.path(0), data); err != nil {
			t.Fatal(err)
		}
	}
	mail([]byte("Subject: hello\r\n\r\nwho are you?\r\n"))
	mail(nil)
	mail(dsn("5.1.1", "x@y"))
	mail(dsn("5.1.1", "other@y"))
	w.add(subscriber.Stream(person(0)), person(0), subscriber.Erased{})
	mail([]byte("Subject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nback soon\r\n"))
	if want := "auto_reply ignored intake 1; hard ignored intake 1; hard recorded intake 1; unknown ignored intake 2"; w.counted() != want {
		t.Error(w.counted())
	}
}

// broken is a journal whose disk is full.
type broken struct{ record.Journal }

var errFull = errors.New("the disk is full")

func (broken) Record(context.Context, string, uint64, []event.Draft) (event.Position, error) {
	return 0, errFull
}

// What could not be recorded is said to come again, and counted when it does.
func TestNotRecorded(t *testing.T) {
	w := newWorld(t, 1)
	o := w.options(broken{w.journal})
	o.Metrics = nil
	found := report.Report{ID: "1", Kind: report.Hard, Paths: []personal.Text{personal.Of(w.path(0))}}
	if err := record.New(o).Report(t.Context(), bounce.Intake, found); !errors.Is(err, errFull) {
		t.Error(err)
	}
	if err := w.Report(t.Context(), bounce.Intake, found); err != nil || w.counted() != "hard recorded intake 1" {
		t.Error(err, w.counted())
	}
}
