package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/adapters/smtp"
	"github.com/cleversender/cleversender/domain/delivery"
)

const (
	longWords = "Forty years alone with a lamp, told in the entries that he did not make. "
	mtaText   = "Dear {{ name }},\n\n.\n..two dots\nFrom the harbour \t\nthree = 3 — 三 and\n\n"
	mtaHTML   = "<p>Dear {{ name }},</p>\n.\n<p>From — 三 " + "<a href=\"https://books.example/?a=1&amp;b=2\">here</a></p>\n"
)

// A campaign that goes through a real mail server arrives whole: bodies, headers,
// and signatures, which somebody else's tool checks against the published keys.
func TestThroughARealServer(t *testing.T) {
	t.Parallel()
	check := newForeignCheck(t)
	server, h := startPostfix(t), newHouse(t)
	h.cli("dkim", "create", "--domain", "example.org", "--selector", "s1")
	h.cli("dkim", "create", "--domain", "example.org", "--selector", "s2", "--algorithm", "ed25519")
	for _, selector := range []string{"s1", "s2"} {
		h.cli("dkim", "activate", "example.org", selector)
		var record api.DNSRecord
		if err := json.Unmarshal([]byte(h.cli("--json", "dkim", "record", "example.org", selector)), &record); err != nil {
			t.Fatal(err)
		}
		check.records[record.Name] = record.Value
	}
	text, html := mtaText+strings.Repeat(longWords, 40)+"\n", mtaHTML+strings.Repeat(longWords, 40)+"\n"
	people := map[string]string{"ann@example.org": "Ann", "zoë@example.org": "Zoë, who has a name that does not fit on one line of a header"}
	campaign := h.letter(text, html, people)
	serve := h.serve("smtp://"+server.addr, "--bounce-domain", "bounces.example.org")
	h.cli("campaign", "start", campaign)
	if r := serve.finished(campaign); r.Sent != len(people) {
		t.Fatalf("%+v", r)
	}
	for _, message := range server.delivered(len(people)) {
		arrived(t, message, people, text, html)
		if got := check.run(message); got != 2 {
			t.Errorf("%d of 2 signatures hold\n%s", got, message)
		}
		for _, from := range []string{"Dear", "List-Unsubscribe=One-Click", "/u/", "news@example.org>"} {
			broken := strings.Replace(message, from, strings.Replace(from, "e", "x", 1)+"x", 1)
			if broken == message || check.run(broken) != 0 {
				t.Errorf("a message without %q is taken for ours", from)
			}
		}
	}
}

// A real mail server takes messages that leave together, and refuses some of
// them; each has its own answer.
func TestBurstsThroughARealServer(t *testing.T) {
	t.Parallel()
	server := startPostfix(t)
	config, err := smtp.Parse("smtp://" + server.addr + "?connections=2")
	if err != nil {
		t.Fatal(err)
	}
	pool := smtp.Open(config)
	const messages = 120
	content := []byte("Subject: one of many\r\n\r\n" + strings.Repeat(longWords+"\r\n.\r\n", 60))
	var callers sync.WaitGroup
	var taken atomic.Int32
	for i := range messages {
		to, want := fmt.Sprintf("reader%d@example.org", i), delivery.Taken
		if i%5 == 0 {
			to, want = fmt.Sprintf("reader%d@elsewhere.example", i), delivery.Never
		}
		callers.Go(func() {
			r := pool.Send(t.Context(), "news@example.org", to, content)
			if r.Outcome != want {
				t.Errorf("%s: %+v", to, r)
			}
			if r.Outcome == delivery.Taken {
				taken.Add(1)
			}
		})
	}
	callers.Wait()
	_ = pool.Close()
	for _, message := range server.delivered(int(taken.Load())) {
		_, got, _ := strings.Cut(message, "\r\n\r\n")
		if _, want, _ := strings.Cut(string(content), "\r\n\r\n"); got != want {
			t.Errorf("arrived as %q", got)
		}
	}
	log, err := os.ReadFile(filepath.Join(server.dir, "log"))
	if err != nil || !strings.Contains(string(log), " bdat=") {
		t.Errorf("no chunk was seen: %v", err)
	}
}

// letter drafts a campaign to people, by address.
func (h *house) letter(text, html string, people map[string]string) (id string) {
	h.t.Helper()
	contacts := "email,name\n"
	for email, name := range people {
		contacts += email + ",\"" + name + "\"\n"
	}
	dir := h.t.TempDir()
	for name, content := range map[string]string{"contacts.csv": contacts, "page.html": html, "page.txt": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
	list := h.cli("list", "create", "The readers’ letter")
	h.cli("import", filepath.Join(dir, "contacts.csv"), "--list", list, "--purpose", "mailing")
	template := h.cli("template", "create", "--name", "Letter", "--subject", "Three — 三 — books for {{ name }}",
		"--html", filepath.Join(dir, "page.html"), "--text", filepath.Join(dir, "page.txt"))
	return h.cli("campaign", "draft", "--name", "May", "--list", list, "--template", template,
		"--from-name", "Harbour Books", "--from-email", "news@example.org")
}

// arrived checks that a message says what was sent, in each header and body.
func arrived(t *testing.T, message string, people map[string]string, text, html string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 1 || people[to[0].Address] != to[0].Name {
		t.Fatalf("to %v: %v", to, err)
	}
	name := to[0].Name
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if want := "Three — 三 — books for " + name; err != nil || subject != want {
		t.Errorf("subject %q: %v", subject, err)
	}
	for header, want := range map[string]string{
		"From": "Harbour Books <news@example.org>", "MIME-Version": "1.0", "Precedence": "bulk", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
	} {
		if got := m.Header.Get(header); got != want {
			t.Errorf("%s: %q", header, got)
		}
	}
	for _, header := range []string{"Date", "Message-Id", "List-Id", "List-Unsubscribe", "Feedback-Id", "Content-Type", "From", "To", "Subject", "Return-Path"} {
		if len(m.Header[header]) != 1 {
			t.Errorf("%s is there %d times", header, len(m.Header[header]))
		}
	}
	if path := m.Header.Get("Return-Path"); len(path) != 61+len("<@bounces.example.org>") || !strings.HasSuffix(path, "@bounces.example.org>") {
		t.Errorf("it comes back to %s", path)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []string{text, html} {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		want = strings.ReplaceAll(want, "{{ name }}", name)
		if diff := cmp.Diff(want, strings.ReplaceAll(string(got), "\r\n", "\n")); diff != "" {
			t.Error(diff)
		}
	}
}

// foreignCheck is Debian's python3-dkim, with these records for a DNS.
type foreignCheck struct {
	t       *testing.T
	records map[string]string
}

const debianPython = "/usr/bin/python3"

func newForeignCheck(t *testing.T) *foreignCheck {
	t.Helper()
	if err := exec.Command(debianPython, "-c", "import dkim").Run(); err != nil {
		missing(t, "python3-dkim")
	}
	return &foreignCheck{t, map[string]string{}}
}

// It prints how many signatures hold.
const foreignScript = `
import dkim, json, sys
records = json.loads(sys.argv[1])
def dns(name, timeout=0):
    return records[name.decode().rstrip('.')].encode()
message = dkim.DKIM(sys.stdin.buffer.read())
count = len([name for name, _ in message.headers if name.lower() == b'dkim-signature'])
good = 0
for i in range(count):
    try:
        good += message.verify(idx=i, dnsfunc=dns)
    except dkim.ValidationError:
        pass
print(count, good)
`

// run returns how many of a message's two signatures hold.
func (c *foreignCheck) run(message string) (good int) {
	c.t.Helper()
	records, err := json.Marshal(c.records)
	if err != nil {
		c.t.Fatal(err)
	}
	cmd := exec.Command(debianPython, "-c", foreignScript, string(records))
	cmd.Stdin = strings.NewReader(message)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		c.t.Fatalf("%v: %s", err, &complaint)
	}
	for n, answer := range []string{"2 0\n", "2 1\n", "2 2\n"} {
		if string(out) == answer {
			return n
		}
	}
	c.t.Fatalf("the tool found %q", out)
	return 0
}
