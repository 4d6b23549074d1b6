package mime

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain"
)

// message is everything that a message says, for messages of one piece.
type message struct {
	From, To, ReplyTo          Address
	Subject                    string
	Date                       time.Time
	MessageID                  string
	ListID, ListName           string
	UnsubscribeURL, FeedbackID string
	Text, HTML                 string
}

// compose makes a message whose bodies are what differs: nothing of them is common.
func compose(m message) ([]byte, error) {
	return composed(m, nil, nil, func(w *Writer, s string) { _, _ = w.WriteString(s) })
}

// prepared makes a message whose bodies are common.
func prepared(m message) ([]byte, error) {
	return composed(m, []string{m.Text}, []string{m.HTML}, func(w *Writer, _ string) { w.Fixed(0) })
}

func composed(m message, text, html []string, write func(*Writer, string)) ([]byte, error) {
	c := Common{From: m.From, ReplyTo: m.ReplyTo, FeedbackID: m.FeedbackID, Unsubscribe: m.UnsubscribeURL[:min(len(m.UnsubscribeURL), 20)]}
	if m.Text != "" {
		c.Text = append([]string{}, text...)
	}
	if m.HTML != "" {
		c.HTML = append([]string{}, html...)
	}
	l, err := NewLayout(c)
	if err != nil {
		return nil, err
	}
	if l, err = l.List(m.ListID, m.ListName); err != nil {
		return nil, err
	}
	w, err := l.Begin(nil, Own{To: m.To, Subject: m.Subject, Date: m.Date, MessageID: m.MessageID, UnsubscribeURL: m.UnsubscribeURL})
	if err != nil {
		return nil, err
	}
	for _, body := range []string{m.Text, m.HTML} {
		if body != "" {
			w.Next()
			write(&w, body)
		}
	}
	return w.End(), nil
}

func full() message {
	return message{
		From: Address{"Bücherei, am \"Platz\"", "news@bücher.example"}, To: Address{"Jörg Müller", "joerg@example.org"},
		ReplyTo: Address{"", "reply@example.org"}, Subject: "Neues für dich",
		Date: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC), MessageID: "abc@example.org",
		ListID: "news.example.org", ListName: "News & more", UnsubscribeURL: "https://example.org/u/x", FeedbackID: "c:a:n:clever",
		Text: "Hallo Jörg\n", HTML: "<p>Hallo Jörg</p>\n",
	}
}

var names = []string{
	"Content-Type", "Date", "Feedback-Id", "From", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
	"Message-Id", "Mime-Version", "Precedence", "Reply-To", "Subject", "To",
}

// The bytes of a message are these.
func TestCompose(t *testing.T) {
	for name, compose := range map[string]func(message) ([]byte, error){"own": compose, "common": prepared} {
		got, err := compose(full())
		if diff := cmp.Diff(golden, string(got)); diff != "" || err != nil {
			t.Error(name, err, diff)
		}
	}
}

var golden = strings.ReplaceAll(`From: =?utf-8?b?QsO8Y2hlcmVpLCBhbSAiUGxhdHoi?= <news@xn--bcher-kva.example>
Reply-To: <reply@example.org>
List-Id: News & more <news.example.org>
To: =?utf-8?b?SsO2cmcgTcO8bGxlcg==?= <joerg@example.org>
Subject: =?utf-8?q?Neues_f=C3=BCr_dich?=
Date: Tue, 03 Feb 2026 04:05:06 +0000
Message-ID: <abc@example.org>
List-Unsubscribe: <https://example.org/u/x>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Feedback-ID: c:a:n:clever
Precedence: bulk
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="=_cleversender_alternative"

--=_cleversender_alternative
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Hallo J=C3=B6rg

--=_cleversender_alternative
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>Hallo J=C3=B6rg</p>

--=_cleversender_alternative--
`, "\n", "\r\n")

// A line break or NUL anywhere in a header is refused by its name, and so is
// what cannot be an address, an id or a URL.
func TestRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*message, string){
		"From":             func(m *message, s string) { m.From.Email = "a" + s + "@example.org" },
		"To":               func(m *message, s string) { m.To.Name = "a" + s },
		"Reply-To":         func(m *message, s string) { m.ReplyTo.Email = "a@exa" + s + "mple.org" },
		"Subject":          func(m *message, s string) { m.Subject = "a" + s },
		"Message-ID":       func(m *message, s string) { m.MessageID = "a" + s + "@example.org" },
		"List-Id":          func(m *message, s string) { m.ListName = "a" + s },
		"List-Unsubscribe": func(m *message, s string) { m.UnsubscribeURL = "https://example.org/" + s },
		"Feedback-ID":      func(m *message, s string) { m.FeedbackID = "a" + s },
	} {
		for _, s := range []string{"\r\nBcc: x@example.org", "\n", "\r", "\x00"} {
			m := full()
			spoil(&m, s)
			var r domain.Refusal
			_, err := compose(m)
			if !errors.As(err, &r) || r.Code != CodeBadHeader || !strings.Contains(r.Reason, name) {
				t.Errorf("%s with %q: %v", name, s, err)
			}
		}
	}
	for _, email := range []string{
		"", "a", "@example.org", "a@", "a b@example.org", "a@b@example.org", "<a>@example.org", "a@-example.org", "a@exa mple.org",
		"a@[127.0.0.1]", "a..b@example.org", `"a"b"@example.org`, strings.Repeat("a", 65) + "@example.org", "a\xff@example.org",
		"a@" + strings.Repeat("a.", 130) + "org", "a,b@example.org", "a@example.org\x00", "a(c)@example.org", "a@ex_ample.org",
	} {
		m := full()
		m.To.Email = email
		if _, err := compose(m); err == nil {
			t.Errorf("address %q passed", email)
		}
	}
}

// One click is announced where a POST is safe from being read, or never leaves the machine.
func TestOneClickNeedsHTTPS(t *testing.T) {
	for url, want := range map[string]bool{
		"https://example.org/u": true, "http://127.0.0.1:8080/u": true, "http://localhost/u": true, "http://example.org/u": false,
	} {
		m := full()
		m.UnsubscribeURL = url
		raw, err := compose(m)
		if err != nil || bytes.Contains(raw, []byte("\r\nList-Unsubscribe-Post: ")) != want {
			t.Errorf("%s: want %v, %v", url, want, err)
		}
	}
}

// Quoted-printable reads back as it was, whatever stands at the ends of lines.
func TestQuotedPrintable(t *testing.T) {
	for _, s := range []string{
		"", " ", "a ", "a \n", "a\t\r\nb", "\r", "\r\n\r\n", strings.Repeat("x", 75), strings.Repeat("x", 76), strings.Repeat("x", 74) + " ",
		strings.Repeat("x", 75) + " \n", strings.Repeat("x", 74) + "=", strings.Repeat("x", 73) + "ü", strings.Repeat("ü", 99), strings.Repeat(" ", 200) + "\n",
		strings.Repeat("x", 75) + "\n" + strings.Repeat("x", 72) + "é\n", "=", ".\n..\n",
	} {
		out, _ := appendQuotedPrintable(nil, s, 0)
		for line := range strings.SplitSeq(string(out), "\r\n") {
			if len(line) > 76 || strings.HasPrefix(line, ".") || strings.HasSuffix(line, " ") || strings.HasSuffix(line, "\t") || strings.ContainsAny(line, "\r\n") {
				t.Errorf("%q: bad line %q", s, line)
			}
		}
		got, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(out)))
		if err != nil || ends.Replace(string(got)) != ends.Replace(s) {
			t.Errorf("%q: got %q, %v", s, got, err)
		}
	}
}

// What stands for itself is found eight bytes at a time as it is one by one.
func TestLiterals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOfN(rapid.OneOf(rapid.RuneFrom([]rune("azAZ09~\"<&_-. \t")), rapid.RuneFrom([]rune("=\r\n\x00\x1f\x7féń€"))), 0, 40, -1).Draw(t, "s")
		want := 0
		for want < len(s) && (s[want] == '\t' || s[want] >= ' ' && s[want] <= '~' && s[want] != '=') {
			want++
		}
		if got, same := literals(s), literals([]byte(s)); got != want || same != want {
			t.Fatalf("%q: got %d and %d, want %d", s, got, same, want)
		}
	})
	for b := range 256 { // wherever in a word it stands
		for i := range 8 {
			s := []byte("xxxxxxxxxxxxxxxx")
			s[i] = byte(b)
			want := len(s)
			if !literal[b] {
				want = i
			}
			if got := literals(s); got != want {
				t.Errorf("%q: got %d, want %d", s, got, want)
			}
		}
	}
}

// A message has the date of its own, whatever the one before it had.
func TestDates(t *testing.T) {
	l, err := NewLayout(Common{From: full().From})
	if err != nil {
		t.Fatal(err)
	}
	var at sync.WaitGroup
	for i := range 4 {
		at.Go(func() {
			for n := range 300 {
				own := Own{To: full().To, MessageID: "a@b", Date: full().Date.Add(time.Duration(n*(i+1)) * 300 * time.Millisecond).In(time.FixedZone("", n))}
				w, err := l.Begin(nil, own)
				want := "\r\nDate: " + own.Date.UTC().Format(time.RFC1123Z) + "\r\n"
				if err != nil || !bytes.Contains(w.out, []byte(want)) {
					t.Errorf("want %q in %q, %v", want, w.out, err)
				}
			}
		})
	}
	at.Wait()
}

// Bodies of one kind stand alone.
func TestOneBody(t *testing.T) {
	m := full()
	m.HTML = ""
	raw, err := compose(m)
	parsed, parseErr := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil || parseErr != nil || parsed.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%v, %v\n%s", err, parseErr, raw)
	}
}

// verify reads a message back: the headers are those that were set, and say
// what was said; lines are short and end in CRLF; bodies survive.
func verify(t interface {
	Helper()
	Fatalf(string, ...any)
}, m message, raw []byte) {
	t.Helper()
	for line := range bytes.SplitSeq(bytes.TrimSuffix(raw, []byte("\r\n")), []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n\x00") {
			t.Fatalf("bad line %q", line)
		}
		if bytes.Contains(line, []byte("=?utf-8?")) && len(line) > 76 && !bytes.Contains(line, []byte("<")) {
			t.Fatalf("line with an encoded word has %d octets: %q", len(line), line)
		}
	}
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	var found []string
	for name, values := range parsed.Header {
		if len(values) != 1 {
			t.Fatalf("%s is there %d times", name, len(values))
		}
		found = append(found, name)
	}
	slices.Sort(found)
	if diff := cmp.Diff(names, found); diff != "" {
		t.Fatalf("headers: %s\n%s", diff, raw)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
	if want := strings.ToValidUTF8(m.Subject, "\uFFFD"); err != nil || subject != want {
		t.Fatalf("subject %q, want %q, %v", subject, want, err)
	}
	to, err := parsed.Header.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Name != strings.ToValidUTF8(m.To.Name, "\uFFFD") {
		t.Fatalf("to %v, want %q: %v\n%s", to, m.To.Name, err, raw)
	}
	verifyBodies(t, m, parsed)
}

func verifyBodies(t interface {
	Helper()
	Fatalf(string, ...any)
}, m message, parsed *mail.Message) {
	t.Helper()
	_, params, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	parts := multipart.NewReader(parsed.Body, params["boundary"])
	for _, want := range []string{m.Text, m.HTML} {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatalf("%v", err)
		}
		got, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil || ends.Replace(string(got)) != ends.Replace(want) {
			t.Fatalf("body %q, want %q: %v", got, want, err)
		}
	}
	if _, err := parts.NextRawPart(); err != io.EOF {
		t.Fatalf("a third part: %v", err)
	}
}

// Any name, subject and body comes back as it was, in a message with exactly
// the headers that were set.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := full()
		m.Subject, m.To.Name = rapid.String().Draw(t, "subject"), rapid.String().Draw(t, "name")
		m.Text, m.HTML = rapid.String().Draw(t, "text")+"x", rapid.StringN(0, 300, -1).Draw(t, "html")+"x"
		raw, err := compose(m)
		if strings.ContainsAny(m.Subject+m.To.Name, "\r\n\x00") {
			if err == nil {
				t.Fatal("not refused")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		verify(t, m, raw)
	})
}

func FuzzCompose(f *testing.F) {
	f.Add("Jörg", "Neues für dich", "joerg@example.org", "Hallo", "<p>Hallo</p> \n.\n")
	f.Add("\" =?utf-8?q?x?= \"", strings.Repeat("長い件名", 40), `"a b"@bücher.example`, "a=b\r\n \t\r", strings.Repeat("x", 200))
	f.Add("a\r\nBcc: x", "\n", "a@example.org\r\n", "", "\x00")
	f.Fuzz(func(t *testing.T, name, subject, email, text, html string) {
		m := full()
		m.Subject, m.To, m.Text, m.HTML = subject, Address{name, email}, text+"x", html+"x"
		raw, err := compose(m)
		if err != nil {
			var r domain.Refusal
			if !errors.As(err, &r) || r.Code != CodeBadHeader {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		if strings.ContainsAny(name+subject+email, "\r\n\x00") {
			t.Fatal("not refused")
		}
		if local, _, _ := cutLast(email, '@'); !utf8.ValidString(name) || strings.HasPrefix(local, `"`) {
			return // net/mail reads such a name or address in its own way
		}
		verify(t, m, raw)
	})
}

func BenchmarkCompose(b *testing.B) {
	m := full()
	m.HTML = strings.Repeat(`<tr><td style="font-family:Georgia,serif">Lorem ipsum dolor sit amet, consectetur.</td></tr>`+"\n", 70)
	m.Text = strings.Repeat("Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod.\n", 30)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := compose(m); err != nil {
			b.Fatal(err)
		}
	}
}
