package engine

import (
	"bytes"
	"context"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/adapters/liquid"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/domain/template"
)

// failing is what a test, a fuzz test and a property have in common.
type failing interface {
	Helper()
	Fatalf(string, ...any)
}

// wired checks the bytes of a message (RFC 5322, section 2.1.1; RFC 5321,
// section 4.5.2) and returns them read back.
func wired(t failing, data []byte) *mail.Message {
	t.Helper()
	whole, ended := bytes.CutSuffix(data, []byte("\r\n"))
	if !ended {
		t.Fatalf("the message does not end in CRLF: %q", data)
	}
	for line := range bytes.SplitSeq(whole, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n\x00") || bytes.HasPrefix(line, []byte(".")) {
			t.Fatalf("bad line %q", line)
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return m
}

// said is what a mail reader shows: the subject and the bodies, line ends as LF.
func said(t failing, m *mail.Message) (out liquid.Message) {
	t.Helper()
	var err error
	if out.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatalf("%v", err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	if kind == "text/plain" {
		out.Text = lf(decoded(t, m.Body))
		return out
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, body := range []*string{&out.Text, &out.HTML} {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatalf("%v", err)
		}
		*body = lf(decoded(t, part))
	}
	if _, err := parts.NextRawPart(); err != io.EOF {
		t.Fatalf("after the HTML body: %v", err)
	}
	return out
}

func decoded(t failing, encoded io.Reader) string {
	t.Helper()
	lines, err := io.ReadAll(encoded)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for line := range strings.SplitSeq(string(lines), "\r\n") {
		if len(line) > 76 || strings.HasSuffix(line, " ") || strings.HasSuffix(line, "\t") { // RFC 2045, section 6.7
			t.Fatalf("bad line of a body: %q", line)
		}
	}
	out, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(lines)))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(out)
}

func lf(s string) string { return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s) }

var allHeaders = []string{
	"Content-Type", "Date", "Feedback-Id", "From", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
	"Message-Id", "Mime-Version", "Precedence", "Subject", "To",
}

// agree makes r's message and compares what it says with what the template renders.
func agree(t failing, c template.Content, r sending.Recipient) {
	t.Helper()
	made, err := compiled(c, settingsOf())
	if err != nil {
		return // what cannot be a template is refused
	}
	m := made.(*mailer)
	want, wantErr := m.template.Render(newPress(m).vars(r, m.lists[r.List].name), liquid.DefaultLimits)
	got, err := m.Message(context.Background(), []byte("before"), r)
	if wantErr != nil || strings.ContainsAny(r.Name, "\r\n\x00") {
		if err == nil {
			t.Fatalf("not refused: %v", wantErr)
		}
		return
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	data, found := bytes.CutPrefix(got.Data, []byte("before"))
	if !found {
		t.Fatalf("what was in the buffer is lost")
	}
	read := wired(t, data)
	var names []string
	for name, values := range read.Header {
		if len(values) != 1 {
			t.Fatalf("%s is there %d times", name, len(values))
		}
		if name != "Content-Transfer-Encoding" { // of a body that stands alone
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(allHeaders, names); diff != "" {
		t.Fatalf("headers: %s\n%s", diff, data)
	}
	shown := said(t, read)
	if len(m.bodies) == 1 { // the end of DATA is the end of a line
		want.Text, shown.Text = strings.TrimSuffix(lf(want.Text), "\n"), strings.TrimSuffix(shown.Text, "\n")
	}
	want = liquid.Message{Subject: strings.ToValidUTF8(want.Subject, "\uFFFD"), HTML: lf(want.HTML), Text: lf(want.Text)}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Fatalf("%s\n%q\n%s", diff, c, data)
	}
}

var pieces = []string{
	"{{ name }}", "{{ email }}", "{{ attributes.a }}", "{{ attributes.none | default: \".x <y>\" }}", "{{ list }}", "{{ unsubscribe_url }}", "{{ nobody }}",
	"{{ name | upcase }}", "{% if name %}\n.{{ name }} {% endif %}", "{%- if name -%} . {%- endif %}", "{% assign name = 'Bob.' %}", "{% for i in (1..3) %}{{ i }} \n{% endfor %}",
	`<a href="https://books.example/?a=1&amp;b=2">`, "</body>", ".", "..", "\n", "\r\n", "\r", " ", "\t", "=", "=\n", "é", "\n.\n", "\u2028", "From ",
	strings.Repeat("x", 74), strings.Repeat("x", 76), strings.Repeat("é ", 60), "<p>", "&",
}

// Whatever a template is made of and whoever it is for, the message says what
// the template renders, in exactly the headers that are ours.
func TestMessageSaysWhatTheTemplateRenders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := rapid.Map(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12), func(p []string) string { return strings.Join(p, "") })
		value := rapid.OneOf(rapid.SampledFrom([]string{"", ".", "\n", "\r", "x\r", " ", "<b>\n.", "Zoë", strings.Repeat("y", 80)}), rapid.String())
		r := reader()
		r.Name, r.Attributes["a"] = value.Draw(t, "name"), value.Draw(t, "attribute")
		r.OpenTracking, r.ClickTracking = rapid.Bool().Draw(t, "opens"), rapid.Bool().Draw(t, "clicks")
		agree(t, template.Content{Subject: source.Draw(t, "subject"), HTML: source.Draw(t, "html"), Text: source.Draw(t, "text")}, r)
	})
}

// No name, attribute or subject makes a message of other headers, or a line
// that a server would take for something else.
func FuzzMessage(f *testing.F) {
	f.Add("Zoë", "Łódź", "News for {{ name }}")
	f.Add("a\r\nBcc: x@example.org", "\r\n.\r\n", "{{ attributes.city }}")
	f.Add("x\r", "..", "\r\n{{ attributes.city | default: '.' }}")
	f.Add(strings.Repeat("=?utf-8?q?", 200), strings.Repeat("\u2028.", 400), "=?utf-8?b?{{ attributes.city }}?=")
	f.Fuzz(func(t *testing.T, name, attribute, subject string) {
		r := reader()
		r.Name, r.Attributes["city"] = name, attribute
		agree(t, template.Content{
			Subject: subject,
			HTML:    "<p>\n{{ attributes.city }}\n{{ name }}\n.{% if name %}\n{{ attributes.city }}{% endif %}</p>",
			Text:    "{{ name }}\n{{ attributes.city }}.\n{{ name | default: '.' }}\n",
		}, r)
	})
}
