package liquid

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const withLinks = `<html><body>
<A class=x HREF = "https://example.org/a?x=1&amp;y=2">one</a>
<a href='http://example.org/b'>two</a> <a href=https://example.org/c>three</a>
<a href="https://example.org/a?x=1&y=2">one again</a>
<a href="{{ unsubscribe_url }}">leave</a> <a href="https://example.org/{{ name }}">yours</a>
<a href="mailto:a@example.org">mail</a> <a href="#top">top</a> <a href="/rel">rel</a> <a name=x>no</a> <a href>no</a>
<!-- <a href="https://example.org/comment">no</a> --> <img src="https://example.org/i.png">
{% raw %}<a href="https://example.org/raw">no</a>{% endraw %}
{% if name <a %}<area title="href='https://example.org/no'" href="https://example.org/d">{% endif %}
</body></html>`

func appending(url string) func([]byte) []byte {
	return func(dst []byte) []byte { return append(dst, url...) }
}

func numbered(url string) func([]byte, int) []byte {
	return func(dst []byte, i int) []byte { return strconv.AppendInt(append(dst, url...), int64(i), 10) }
}

// Tracked links are the written-out web links, each once, in order.
func TestLinks(t *testing.T) {
	tpl := mustCompile(t, "s", strings.ReplaceAll(withLinks, "<a %}", "< 1 %}"), "t")
	want := []string{"https://example.org/a?x=1&y=2", "http://example.org/b", "https://example.org/c", "https://example.org/d"}
	if diff := cmp.Diff(want, tpl.Links()); diff != "" {
		t.Error(diff)
	}
}

// With nothing to track the message is what was written; with tracking only
// the targets change, and the pixel comes in front of the body's end.
func TestRewrite(t *testing.T) {
	source := `<body><a href="https://example.org/a?x=1&amp;y=2">{{ name }}</a><a href=https://example.org/c>c</a></body>`
	tpl := mustCompile(t, "s", source, "t")
	m, err := tpl.Render(Vars{Name: "N"}, DefaultLimits)
	want := `<body><a href="https://example.org/a?x=1&amp;y=2">N</a><a href="https://example.org/c">c</a></body>`
	if err != nil || m.HTML != want {
		t.Errorf("untracked: %v\n%s", err, m.HTML)
	}
	vars := Vars{Name: "N", PixelURL: appending("https://t.example/o?&"), LinkURL: numbered("https://t.example/c/")}
	m, err = tpl.Render(vars, DefaultLimits)
	want = `<body><a href="https://t.example/c/0">N</a><a href="https://t.example/c/1">c</a>` +
		`<img src="https://t.example/o?&amp;" alt="" width="1" height="1" style="display:block;border:0"></body>`
	if err != nil || m.HTML != want {
		t.Errorf("tracked: %v\n%s", err, m.HTML)
	}
}

// A text part is made of the HTML part when there is none.
func TestPlainText(t *testing.T) {
	html := `<html><head><title>no</title><style>p{}</style></head><body><h1>Big   news</h1>
<p>Dear {{ name }}, &lt;3 <a href="https://example.org/{{ x }}">read
this</a>!</p><ul><li>one<li>two</ul>{% if name %}<p>Yes</p>{% endif %}</body>`
	tpl := mustCompile(t, "s", html, "  ")
	m, err := tpl.Render(Vars{Name: "Ann"}, DefaultLimits)
	want := "Big news\n\nDear Ann, <3 read this (https://example.org/)!\n\n- one\n- two\n\n\n\nYes\n\n\n"
	if err != nil || m.Text != want {
		t.Errorf("%v\n%q\n%q", err, m.Text, want)
	}
}

// Any source compiles or is refused; what compiles renders or is refused.
func FuzzCompile(f *testing.F) {
	f.Add(withLinks, "x")
	f.Add("{% for i in (1..3) %}{% cycle 'a','b' %}{{ forloop }}{% endfor %}{% case name %}{% when 'a' %}{% else %}b{% endcase %}", "x")
	f.Add("{% tablerow i in attributes cols:2 %}{{ i[1] | date: '%Y' | split: ' ' | sort }}{% endtablerow %}", "2024-01-01")
	f.Fuzz(func(t *testing.T, source, name string) {
		tpl, err := Compile(source, source, "")
		if err != nil {
			if code(err) != CodeInvalid && code(err) != CodeTooLarge {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		limits := Limits{OutputBytes: 1 << 16, Iterations: 100}
		m, err := tpl.Render(Vars{Name: name, Attributes: map[string]string{"a": name}, LinkURL: numbered("")}, limits)
		if err != nil && code(err) != CodeInvalid && code(err) != CodeTooLarge && code(err) != CodeTooSlow {
			t.Fatalf("not a refusal: %v", err)
		}
		if len(m.HTML) > 1<<16 || strings.ContainsAny(m.Subject, "\r\n\x00") {
			t.Fatal("out of bounds")
		}
	})
}

func BenchmarkRender(b *testing.B) {
	row := `<tr><td style="font-family:Georgia,serif;font-size:16px;line-height:24px;color:#222">Lorem ipsum dolor sit amet, ` +
		`consectetur adipiscing elit, sed do eiusmod tempor.</td><td><a href="https://example.org/story/`
	var rows strings.Builder
	for i := range 20 {
		rows.WriteString(row + strconv.Itoa(i) + "\">Read</a></td></tr>\n")
	}
	html := "<html><body><h1>Dear {{ name | default: 'friend' }}</h1>{% if attributes.city %}<p>In {{ attributes.city }}</p>{% endif %}<table>" +
		rows.String() + `</table><a href="{{ unsubscribe_url }}">Unsubscribe</a></body></html>`
	tpl := mustCompile(b, "News for {{ name }}", html, "")
	vars := Vars{
		Name: "Zoë", Email: "zoe@example.org", Attributes: map[string]string{"city": "Łódź"}, List: "News",
		UnsubscribeURL: "https://mail.example.org/u/" + strings.Repeat("x", 120), PixelURL: appending("https://mail.example.org/o/" + strings.Repeat("x", 94)),
		LinkURL: numbered("https://mail.example.org/c/" + strings.Repeat("x", 96)),
	}
	m, _ := tpl.Render(vars, DefaultLimits)
	b.Logf("%d bytes of source, %d of HTML, %d of text, %d links", len(html), len(m.HTML), len(m.Text), len(tpl.Links()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tpl.Render(vars, DefaultLimits); err != nil {
			b.Fatal(err)
		}
	}
}
