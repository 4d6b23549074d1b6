package bounce

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/domain/personal"
)

var update = flag.Bool("update", false, "write what golden files lack")

// plain is a report with its personal values in the clear, as golden files show it.
type plain struct {
	Kind                                  Kind
	Source                                Source
	Status, Feedback, Reporter, MessageID string
	Paths                                 []string
	Recipient, Diagnostic                 string
}

func revealed(r Report) plain {
	p := plain{Kind: r.Kind, Source: r.Source, Status: r.Status, Feedback: r.Feedback, Reporter: r.Reporter, MessageID: r.MessageID}
	for _, path := range r.Paths {
		s, _ := path.Reveal()
		p.Paths = append(p.Paths, s)
	}
	p.Recipient, _ = r.Recipient.Reveal()
	p.Diagnostic, _ = r.Diagnostic.Reveal()
	return p
}

func samples(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob("testdata/mail/*.eml")
	if err != nil || len(names) < 20 {
		t.Fatal(len(names), err)
	}
	return names
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Each sample, in the format of a real mail system, says what its golden file
// says, with line ends of either kind.
func TestParse(t *testing.T) {
	for _, name := range samples(t) {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".eml"), func(t *testing.T) {
			raw := read(t, name)
			r, err := Parse("", raw)
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(name, ".eml") + ".json"
			if _, err := os.Stat(golden); *update && os.IsNotExist(err) {
				text, err := json.MarshalIndent(revealed(r), "", "\t")
				if err == nil {
					err = os.WriteFile(golden, append(text, '\n'), 0o644)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			var want plain
			if err := json.Unmarshal(read(t, golden), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, revealed(r)); diff != "" {
				t.Error(diff)
			}
			crlf, err := Parse("", bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n")))
			if diff := cmp.Diff(want, revealed(crlf)); diff != "" || err != nil {
				t.Error("with CRLF:", err, diff)
			}
		})
	}
}

// The envelope's recipient is the first path, and the same mail has the same id.
func TestParseTrace(t *testing.T) {
	raw := read(t, "testdata/mail/qmail.eml")
	one, err := Parse("b-other@bounces.sender.example", raw)
	if err != nil {
		t.Fatal(err)
	}
	two, _ := Parse("", raw)
	other, _ := Parse("", append([]byte("X: y\n"), raw...))
	if one.ID != two.ID || one.ID == other.ID || one.ID == "" {
		t.Errorf("ids %q, %q; of another mail %q", one.ID, two.ID, other.ID)
	}
	if paths := revealed(one).Paths; paths[0] != "b-other@bounces.sender.example" || len(paths) != 2 {
		t.Errorf("paths %q", paths)
	}
}

// What is no mail is an error that repeats nothing of it.
func TestParseNoMail(t *testing.T) {
	for _, raw := range []string{"", "ann@recipient.example is not here", "\x00\x01\x02"} {
		if r, err := Parse("", []byte(raw)); err == nil || strings.Contains(err.Error(), "ann") {
			t.Errorf("%q: %v, %v", raw, r, err)
		}
	}
}

// A mail is read to its limit: what it repeats without end, in width or in
// depth, is not.
func TestParseLimits(t *testing.T) {
	head := "From: MAILER-DAEMON@mx.example\nSubject: failure notice\nContent-Type: multipart/mixed; boundary=b\n\n"
	statuses := "--b\nContent-Type: message/delivery-status\n\n" + strings.Repeat("Action: failed\nStatus: 5.0.0\n\n", 1000)
	for name, raw := range map[string]string{
		"wide":     head + strings.Repeat("--b\n\nuser unknown\n", 100_000),
		"deep":     head + strings.Repeat("--b\nContent-Type: multipart/mixed; boundary=b\n\n", 10_000),
		"long":     head + strings.Repeat("--b\n\n"+strings.Repeat("words ", 5000)+"\n", 50),
		"statuses": head + strings.Repeat(statuses, 50),
		"fields":   head + "--b\nContent-Type: message/rfc822\n\n" + strings.Repeat("A: b\n", 10_000),
	} {
		m, err := readMail([]byte(raw[:min(len(raw), MaxBytes)]))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if m.parts > maxParts+1 || len(m.text) > 2*maxText || len(m.status) > 2*maxText || len(m.original) > maxFields {
			t.Errorf("%s: %d parts, %d fields, %d bytes of text, %d of status", name, m.parts, len(m.original), len(m.text), len(m.status))
		}
	}
}

// Of a notification with very many recipients, the first count.
func TestParseManyRecipients(t *testing.T) {
	raw := "From: MAILER-DAEMON@mx.example\nContent-Type: message/delivery-status\n\n" +
		strings.Repeat("Action: failed\nStatus: 5.1.1\n\n", maxRecipients) + "Action: delivered\n"
	if r, err := Parse("", []byte(raw)); err != nil || r.Kind != Hard {
		t.Error(r.Kind, err)
	}
}

// The costliest mail that is known: every recipient's fate in doubt, and long
// words to look through for each.
func BenchmarkParseWorst(b *testing.B) {
	head := "From: MAILER-DAEMON@mx.example\nContent-Type: multipart/report; boundary=b\n\n--b\n\n"
	raw := []byte(head + strings.Repeat("account exceeded mailbox ", 1300) + "\n--b\nContent-Type: message/delivery-status\n\n" +
		strings.Repeat("Action: failed\nStatus: 5.0.0\n\n", 1000))
	for b.Loop() {
		if _, err := Parse("", raw); err != nil {
			b.Fatal(err)
		}
	}
}

// Reports never panic, and keep within their limits, whatever strangers send.
func FuzzParse(f *testing.F) {
	for _, name := range samples(f) {
		f.Add(read(f, name))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := Parse("", raw)
		if err != nil {
			return
		}
		p := revealed(r)
		if len(p.Diagnostic) > MaxDiagnostic || len(p.Paths) > 10 || len(p.MessageID) > 500 || r.ID == "" {
			t.Errorf("out of bounds: %+v", p)
		}
		if p.Source == "" || p.Kind == "" {
			t.Errorf("says nothing: %+v", p)
		}
		for _, printed := range []string{p.Status, p.Feedback, p.Reporter} {
			if strings.ContainsAny(printed, "@ \r\n") {
				t.Errorf("%q is to be printed", printed)
			}
		}
	})
}

// A report prints nothing personal.
func TestReportIsDiscreet(t *testing.T) {
	r := Report{Recipient: personal.Of("ann@recipient.example"), Diagnostic: personal.Of("ann"), Paths: []personal.Text{personal.Of("ann")}}
	if text := strings.ToLower(sprint(r)); strings.Contains(text, "ann") {
		t.Error(text)
	}
}
