package liquid

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/domain"
)

func code(err error) string {
	var r domain.Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return fmt.Sprint(err)
}

func mustCompile(t testing.TB, subject, html, text string) *Template {
	t.Helper()
	tpl, err := Compile(subject, html, text)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

// A name from a stranger is text in HTML, and itself in the subject and the text.
func TestEscapesInHTMLOnly(t *testing.T) {
	tpl := mustCompile(t, "Hi {{ name }}", `<p title="{{ name }}">{{ name | upcase }}</p>`, "Hi {{ name }}")
	m, err := tpl.Render(Vars{Name: `<script>"O'Neil" & co`}, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	want := Message{
		Subject: `Hi <script>"O'Neil" & co`,
		HTML:    `<p title="&lt;script&gt;&#34;O&#39;Neil&#34; &amp; co">&lt;SCRIPT&gt;&#34;O&#39;NEIL&#34; &amp; CO</p>`,
		Text:    `Hi <script>"O'Neil" & co`,
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
}

// Whatever is escaped already is not escaped twice, by filter or by capture,
// and no way through a filter yields markup of a stranger's.
func TestEscapesOnce(t *testing.T) {
	for source, want := range map[string]string{
		`{{ name | escape }}`:                                         `&lt;b&gt;`,
		`{{ name | escape_once }}`:                                    `&lt;b&gt;`,
		`{{ name | append: "x" | newline_to_br }}`:                    `&lt;b&gt;x`,
		`{% capture c %}<i>{{ name }}</i>{% endcapture %}{{ c }}`:     `<i>&lt;b&gt;</i>`,
		`{% capture c %}{{ name }}{% endcapture %}{{ c | upcase }}`:   `&amp;LT;B&amp;GT;`,
		`{% assign n = name %}{{ n }}`:                                `&lt;b&gt;`,
		`{{ "%3Cb%3E" | url_decode }}`:                                `&lt;b&gt;`,
		`{{ name | split: "" | join: "" }}`:                           `&lt;b&gt;`,
		`{{ name | escape | strip_html }}`:                            `&amp;lt;b&amp;gt;`,
		`{% for c in attributes %}{{ c[0] }}={{ c[1] }};{% endfor %}`: `a=&lt;x&gt;;`,
	} {
		tpl := mustCompile(t, "s", source, "t")
		m, err := tpl.Render(Vars{Name: "<b>", Attributes: map[string]string{"a": "<x>"}}, DefaultLimits)
		if err != nil || m.HTML != want {
			t.Errorf("%s: got %q, %v; want %q", source, m.HTML, err, want)
		}
	}
}

// Unknown variables and attributes are empty, whoever the recipient is.
func TestUnknownIsEmpty(t *testing.T) {
	tpl := mustCompile(t, "s", "[{{ nobody }}{{ attributes.none }}{{ a.b.c }}{{ list.x }}]", "t")
	for _, v := range []Vars{{}, {Attributes: map[string]string{"x": "y"}}} {
		if m, err := tpl.Render(v, DefaultLimits); err != nil || m.HTML != "[]" {
			t.Errorf("got %q, %v", m.HTML, err)
		}
	}
}

// A subject is one line whatever is in it.
func TestSubjectIsOneLine(t *testing.T) {
	tpl := mustCompile(t, "Hi {{ name }}\n", "h", "t")
	m, err := tpl.Render(Vars{Name: "A\r\nBcc: x@y\x00\u2028z"}, DefaultLimits)
	if err != nil || m.Subject != "Hi A Bcc: x@y z" {
		t.Errorf("got %q, %v", m.Subject, err)
	}
}

// What cannot be a template is refused, with part and line.
func TestCompileRefuses(t *testing.T) {
	deep := strings.Repeat("{% if name %}", 100) + strings.Repeat("{% endif %}", 100)
	for name, source := range map[string]string{
		"unclosed tag":      "a\n{{ name ",
		"unclosed block":    "a\n{% if name %}",
		"stray end":         "a\n{% endif %}",
		"unknown tag":       "a\n{% rm %}",
		"include":           "a\n{% include 'passwd' %}",
		"our own tag":       "a\n{% cleversender_link 0 x %}",
		"unknown filter":    "a\n{{ name | shout }}",
		"unsafe filter":     "a\n{{ name | safe }}",
		"filter in a tag":   "a\n{% if name | shout %}{% endif %}",
		"nonsense":          "a\n{{ name name }}",
		"lexer's panic":     "a\n{{ \xe2\x80\xa8x }}",
		"unrolled range":    "a\n{{ (1..9) | reverse }}",
		"assigned range":    "a\n{% assign a = (1..9) %}",
		"filtered range":    "a\n{% for i in (1..9) | reverse %}{% endfor %}",
		"huge range":        "a\n{% for i in (1..100000000) %}{% endfor %}",
		"long tag":          "a\n{{ name " + strings.Repeat("| upcase ", 1000) + "}}",
		"deep blocks":       deep,
		"NUL":               "a\x00",
		"not UTF-8":         "a\xff",
		"big number":        "a\n{{ 99999999999999999999 }}",
		"literal of a loop": "a\n{% for %}{% endfor %}",
	} {
		_, err := Compile("s", source, "t")
		if code(err) != CodeInvalid || !strings.Contains(err.Error(), "html, line") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := Compile("s", "line one\nline two\n{{ name | shout }}", "t")
	if err == nil || !strings.Contains(err.Error(), "line 3: there is no filter shout") {
		t.Errorf("line: %v", err)
	}
	if _, err := Compile("s", strings.Repeat("x", maxSource+1), "t"); code(err) != CodeTooLarge {
		t.Errorf("large source: %v", err)
	}
}

// Templates that loop, grow or crash end in a refusal, quickly and in little memory.
func TestBombs(t *testing.T) {
	double := func(step string) string { return "{% assign a = name %}" + strings.Repeat(step, 60) + "{{ a | size }}" }
	for name, c := range map[string]struct{ source, code string }{
		"endless loop":        {"{% for i in (1..9999) %}{% for j in (1..9999) %}{% endfor %}{% endfor %}", CodeTooSlow},
		"nested loops":        {strings.Repeat("{% for i in (1..999) %}", 5) + strings.Repeat("{% endfor %}", 5), CodeTooSlow},
		"tablerow":            {"{% assign n = attributes.long | size %}{% tablerow i in (1..n) %}{% endtablerow %}", CodeTooSlow},
		"loops side by side":  {strings.Repeat("{% for i in (1..999) %}x{% endfor %}", 99), CodeTooSlow},
		"output":              {"{% for i in (1..9999) %}{{ attributes.long }}{% endfor %}", CodeTooLarge},
		"append":              {double("{% assign a = a | append: a %}"), CodeTooLarge},
		"prepend":             {double("{% assign a = a | prepend: a %}"), CodeTooLarge},
		"replace":             {double("{% assign a = a | replace: 'x', 'xxxxxxxxxx' %}"), CodeTooLarge},
		"replace nothing":     {double("{% assign a = a | replace: '', a %}"), CodeTooLarge},
		"capture":             {double("{% capture a %}{{ a }}{{ a }}{% endcapture %}"), CodeTooLarge},
		"capture of a loop":   {"{% capture a %}{% for i in (1..9999) %}{{ attributes.long }}{% endfor %}{% endcapture %}", CodeTooLarge},
		"url_encode":          {double("{% assign a = a | append: '%' | url_encode | url_encode | append: a %}"), CodeTooLarge},
		"split and join":      {double("{% assign a = a | split: '' | join: 'xxxxxxxxxxxxxxxxxxxx' %}"), CodeTooLarge},
		"join":                {"{{ attributes.long | slice: 0, 9999 | split: '' | join: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' | size }}", CodeTooLarge},
		"concat":              {"{% assign a = 'a,b' | split: ',' %}" + strings.Repeat("{% assign a = a | concat: a %}", 60), CodeTooLarge},
		"split a long value":  {"{% assign a = attributes.long | split: '' %}", CodeTooLarge},
		"date width":          {"{{ 'now' | date: '%999999999Y' }}", CodeTooLarge},
		"truncate":            {"{{ attributes.long | truncate: 5000, name | size }}", ""},
		"slice out of bounds": {"{{ name | slice: -9, 9223372036854775807 }}{{ name | slice: 5, -3 }}", ""},
		"division by zero":    {"{{ 1 | divided_by: 0 }}", CodeInvalid},
		"modulo by zero":      {"{{ 1 | modulo: 0 }}", ""},
		"wrong type":          {"{{ name | plus: 1 }}{{ name | abs }}", CodeInvalid},
		"a spoofed loop":      {"{% assign forloop = name %}{% cycle 'a', 'b' %}", CodeInvalid},
		"loop over text":      {"{% for c in name %}x{% endfor %}", ""},
		"break outside":       {"{% break %}", CodeInvalid},
	} {
		tpl, err := Compile("s", c.source, "t")
		if err != nil {
			t.Errorf("%s: compile: %v", name, err)
			continue
		}
		vars := Vars{Name: "secret x", Attributes: map[string]string{"n": "999999999999", "long": strings.Repeat("x", 20000)}}
		m, err := tpl.Render(vars, Limits{OutputBytes: 1 << 20, Iterations: 10_000})
		if c.code == "" && err != nil || c.code != "" && code(err) != c.code {
			t.Errorf("%s: got %v (%d bytes); want %q", name, err, len(m.HTML), c.code)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error tells a personal value: %v", name, err)
		}
	}
}

// A long run of tags without a loop sees the clock too.
func TestDeadline(t *testing.T) {
	tpl := mustCompile(t, "s", strings.Repeat("{{ name | upcase }}{% if name %}{{ name }}{% endif %}", 200), "t")
	clock := time.Unix(0, 0)
	tick := func() time.Time { clock = clock.Add(time.Second); return clock }
	limits := Limits{OutputBytes: 1 << 20, Iterations: 10, Time: 3 * time.Second}
	r := tpl.Rendering(Vars{Name: "n"}, limits)
	r.now = tick
	if _, err := r.message(); code(err) != CodeTooSlow {
		t.Errorf("got %v", err)
	}
}

// Whitespace control works as if there were no ticks.
func TestWhitespaceControl(t *testing.T) {
	tpl := mustCompile(t, "s", "a\n{%- for i in (1..3) -%}\n {{ i }} \n{%- endfor -%}\n b", "t")
	m, err := tpl.Render(Vars{}, DefaultLimits)
	if err != nil || m.HTML != "a123b" {
		t.Errorf("got %q, %v", m.HTML, err)
	}
}
