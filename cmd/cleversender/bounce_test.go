package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/smtp"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/adapters/smtp/catcher"
)

const postmarkPassword = "hook:a password of some length"

// gone is a notification that a message failed for good (RFC 3464).
const gone = "From: MAILER-DAEMON@mx.example.org\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n" +
	"Reporting-MTA: dns; mx.example.org\r\n\r\nFinal-Recipient: rfc822; reader1@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n" +
	"Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n--b--\r\n"

// takesBounces is the address at which a server takes bounces.
func (s *server) takesBounces() string {
	s.t.Helper()
	for line := range strings.Lines(s.said()) {
		var said struct{ Msg, Address string }
		if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "taking bounces" {
			return said.Address
		}
	}
	s.t.Fatalf("nothing takes bounces: %s", s.said())
	return ""
}

// to is the message that a reader got.
func (s *sink) to(t *testing.T, reader string) catcher.Message {
	t.Helper()
	for _, m := range s.Messages(0, 1000) {
		if m.To[0] == reader {
			return m
		}
	}
	t.Fatalf("%s got nothing", reader)
	return catcher.Message{}
}

func header(t *testing.T, m catcher.Message, name string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + `: <?([^>\r\n]+)`).FindSubmatch(m.Data)
	if found == nil {
		t.Fatalf("no %s in the message", name)
	}
	return string(found[1])
}

// Whoever's message comes back, by whichever way, or who complains of it, is
// suppressed before the next campaign; what is forged changes nothing. A server
// that is killed afterwards has forgotten none of it.
func TestBouncesSuppress(t *testing.T) {
	t.Parallel()
	mail, h := newSink(t), newHouse(t)
	mail.set(func() { mail.refuse = reader(0) })
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	serve := func() *server {
		return h.serve(mail.URL(), "--bounce-domain", "bounces.example.org", "--bounce-listen", "127.0.0.1:0",
			"--hook-sendgrid-key", base64.StdEncoding.EncodeToString(der), "--hook-postmark", postmarkPassword)
	}
	s := serve()
	first := h.draft(6)
	h.cli("campaign", "start", first)
	if r := s.finished(first); r.Sent != 5 || r.Failed != 1 {
		t.Fatalf("%+v", r)
	}

	// reader1's message comes back to its return path, by SMTP; another does to one that was tampered with.
	path := mail.to(t, reader(1)).From
	forged := mail.to(t, reader(5)).From[:37] + path[37:]
	for _, to := range []string{path, forged, path} {
		if err := smtp.SendMail(s.takesBounces(), nil, "", []string{to}, []byte(gone)); err != nil {
			t.Fatal(err)
		}
	}
	if err := smtp.SendMail(s.takesBounces(), nil, "", []string{"ann@elsewhere.example"}, []byte(gone)); err == nil {
		t.Error("mail to other domains is taken")
	}
	// reader2 complains at SendGrid, reader3's message comes back to Postmark.
	s.sendGrid(t, key, header(t, mail.to(t, reader(2)), "Message-ID"))
	s.postmark(t, header(t, mail.to(t, reader(3)), "X-PM-Metadata-message_id"))

	for i, want := range []string{"hard_bounce", "hard_bounce", "complaint", "hard_bounce", "", ""} {
		if got := h.suppressedFor(i, want); got != want {
			t.Errorf("reader %d is suppressed for %q, want %q: %s", i, got, want, s.said())
		}
	}
	if out := h.cli("campaign", "report", first); !regexp.MustCompile(`bounced +3 +50\.0 %\n +hard +3 +50\.0 %\ncomplained +1 +16\.7 %`).MatchString(out) {
		t.Errorf("report: %s", out)
	}
	if out := h.cli("subscriber", "timeline", h.find(3).ID.String()); !strings.Contains(out, "there is no such mailbox") {
		t.Errorf("timeline: %s", out)
	}
	_, metrics := s.get("/metrics")
	for _, line := range []string{
		`{kind="hard",result="recorded",source="smtp"} 1`, `{kind="hard",result="recorded",source="intake"} 1`,
		`{kind="hard",result="ignored",source="intake"} 1`, `{kind="hard",result="forged",source="intake"} 1`,
		`{kind="complaint",result="recorded",source="sendgrid"} 1`, `{kind="hard",result="recorded",source="postmark"} 1`,
	} {
		if !strings.Contains(metrics, "cleversender_bounces_total"+line) {
			t.Errorf("no %s in the metrics", line)
		}
	}
	if log := s.said(); !strings.Contains(log, "a report was not obeyed") || strings.Contains(log, "reader") || strings.Contains(log, "no such user") {
		t.Errorf("log: %s", log)
	}

	s.signal(syscall.SIGKILL)
	s.wait()
	s = serve()
	var shown api.Campaign
	if err := s.api.Call(t.Context(), http.MethodGet, "/campaigns/"+first, nil, &shown); err != nil {
		t.Fatal(err)
	}
	second := h.cli("campaign", "draft", "--name", "June", "--list", shown.Settings.Lists[0].String(),
		"--template", shown.Settings.Template.String(), "--from-email", "news@example.org")
	h.cli("campaign", "start", second)
	if r := s.finished(second); r.Sent != 2 || r.Withheld != 4 || r.WithheldWhy["suppressed"] != 4 {
		t.Errorf("%+v", r)
	}
	s.signal(syscall.SIGTERM)
	s.wait()
	h.whole()
}

// suppressedFor is why a reader gets no mail, after a while if need be.
func (h *house) suppressedFor(i int, want string) (got string) {
	h.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		got = ""
		for _, hold := range h.find(i).Holds {
			got += string(hold.Hold)
		}
		if got == want {
			break
		}
	}
	return got
}

func (h *house) find(i int) (found api.Subscriber) {
	h.t.Helper()
	if err := json.Unmarshal([]byte(h.cli("--json", "subscriber", "find", reader(i))), &found); err != nil {
		h.t.Fatal(err)
	}
	return found
}

// sendGrid reports a complaint, as SendGrid does; signed by another, it is refused.
func (s *server) sendGrid(t *testing.T, key *ecdsa.PrivateKey, messageID string) {
	t.Helper()
	body := fmt.Appendf(nil, `[{"event":"spamreport","email":"reader2@example.org","smtp-id":"<%s>","sg_event_id":"one"}]`, messageID)
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[*ecdsa.PrivateKey]int{stranger: http.StatusForbidden, key: http.StatusOK} {
		stamp := strconv.FormatInt(time.Now().Unix(), 10)
		sum := sha256.Sum256(append([]byte(stamp), body...))
		signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		s.hook(t, "/hooks/sendgrid", body, want, func(r *http.Request) {
			r.Header.Set("X-Twilio-Email-Event-Webhook-Timestamp", stamp)
			r.Header.Set("X-Twilio-Email-Event-Webhook-Signature", base64.StdEncoding.EncodeToString(signature))
		})
	}
}

// postmark reports a hard bounce, as Postmark does; with another password it is refused.
func (s *server) postmark(t *testing.T, messageID string) {
	t.Helper()
	body := fmt.Appendf(nil, `{"RecordType":"Bounce","Type":"HardBounce","ID":7,"Email":"reader3@example.org","Metadata":{"message_id":"%s"}}`, messageID)
	user, password, _ := strings.Cut(postmarkPassword, ":")
	for password, want := range map[string]int{password + "x": http.StatusUnauthorized, password: http.StatusOK} {
		s.hook(t, "/hooks/postmark", body, want, func(r *http.Request) { r.SetBasicAuth(user, password) })
	}
}

func (s *server) hook(t *testing.T, path string, body []byte, want int, sign func(*http.Request)) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sign(r)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != want {
		t.Errorf("%s answers %d, want %d", path, resp.StatusCode, want)
	}
}
