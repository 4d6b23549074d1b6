package liquid

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var variables = []string{
	"{{ name }}", "{{name}}", "{{ email }}", "{{ list }}{{ campaign }}", "{{ view_url }}|{{ unsubscribe_url }}", "{{ attributes.city }}", "{{ attributes.none }}",
	"{{ attributes.size }}", "{{ attributes }}", "{{ attributes.city.size }}", "{{ nobody }}", "{{ name | default: 'x<y' }}", `{{ attributes.none|default:"it's" }}`,
	"{{ attributes.empty | default: 'none' }}", "{{ name | default: email }}", "{{ nobody | default: 'no' }}", "{{ name | default: 'a' | upcase }}", "{{ 'x' | default: 'y' }}",
	"{% assign name = 'Bob & co' %}", "{% assign name = 5 %}", "{% assign attributes = 'x' %}", "{% capture email %}<b>{{ name }}</b>{% endcapture %}", "{% if name %}{{ name }}{% endif %}",
	`<a href="https://example.org/?a=1&amp;b=2">`, "<p>", "text\n", "{% comment %}{{ name }}{% endcomment %}", "{% raw %}{{ name }}{% endraw %}",
}

// A part says what the library alone would make of it, whether its pieces need
// the library or not.
func TestSegmentsSayWhatTheLibrarySays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := strings.Join(rapid.SliceOfN(rapid.SampledFrom(variables), 1, 10).Draw(t, "source"), "")
		value := rapid.SampledFrom([]string{"", "Zoë", "<i>&", "5"})
		vars := Vars{
			Name: value.Draw(t, "name"), Email: "zoe@example.org", List: "News", Campaign: "May & June",
			Attributes: map[string]string{"city": value.Draw(t, "city"), "empty": ""}, UnsubscribeURL: "https://t.example/u?a&b",
		}
		if rapid.Bool().Draw(t, "tracked") {
			vars.LinkURL, vars.PixelURL = numbered("https://t.example/c?&"), appending("https://t.example/o?<")
		}
		tpl, err := Compile(source, source, source)
		if err != nil {
			t.Fatal(err)
		}
		m, err := tpl.Render(vars, DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		rewritten, _, err := trackable(source)
		if err != nil {
			t.Fatal(err)
		}
		if want := byLibrary(t, htmlEngine, rewritten, vars); m.HTML != want {
			t.Fatalf("HTML of %q: got %q, want %q", source, m.HTML, want)
		}
		want := byLibrary(t, plainEngine, source, vars)
		if m.Text != want || m.Subject != oneLine(want) {
			t.Fatalf("text of %q: got %q and %q, want %q", source, m.Text, m.Subject, want)
		}
	})
}

func byLibrary(t *rapid.T, e engine, source string, vars Vars) string {
	code, fault := e.ParseString(withOurCapture(source))
	if fault != nil {
		t.Fatal(fault)
	}
	whole, fault := code.RenderString((&Template{}).Rendering(vars, DefaultLimits).bindings())
	if fault != nil {
		t.Fatal(fault)
	}
	return whole
}

// A rendering that is begun again knows the next recipient only, and has its
// limits in full, even after one that was refused.
func TestBeginAgain(t *testing.T) {
	source := "{{ name }}{% for a in attributes %}{% capture x %}{{ a[1] }}{% endcapture %}{{ x }}{% endfor %}{{ x | upcase }}"
	tpl := mustCompile(t, source, source, source)
	limits := Limits{OutputBytes: 40, Iterations: 5, Time: time.Hour}
	r := tpl.Rendering(Vars{}, limits)
	for _, vars := range []Vars{
		{Name: "Ann", Attributes: map[string]string{"a": "&"}},
		{Name: strings.Repeat("x", 41), Attributes: map[string]string{"a": "b"}},
		{Attributes: map[string]string{"a": "<"}},
		{Name: "Bob", Attributes: map[string]string{"a": "1", "b": "2", "c": "3", "d": "4", "e": "5", "f": "6"}},
		{Name: "<b>"},
	} {
		want, wantErr := tpl.Render(vars, limits)
		r.Begin(vars)
		got, err := r.message()
		if diff := cmp.Diff(want, got); diff != "" || code(err) != code(wantErr) {
			t.Errorf("%s%v, want %v", diff, err, wantErr)
		}
	}
}

// What is the same for everybody is known before anybody is.
func TestFixed(t *testing.T) {
	tpl := mustCompile(t, " News\nfor May ", "<p>{{ name }}</p>", "a{{ name }}b")
	if subject, ok := tpl.FixedSubject(); subject != "News for May" || !ok {
		t.Errorf("subject %q, %v", subject, ok)
	}
	if text, html := tpl.Fixed(); strings.Join(text, "|") != "a|b" || strings.Join(html, "|") != "<p>|</p>" {
		t.Errorf("text %q, HTML %q", text, html)
	}
	tpl = mustCompile(t, "{{ name }}", "\n", "a")
	if _, ok := tpl.FixedSubject(); ok {
		t.Error("a subject with a name passes for the same in every message")
	}
	vars := Vars{PixelURL: appending("https://t.example/o")}
	m, err := tpl.Render(vars, DefaultLimits)
	if _, html := tpl.Fixed(); html != nil || err != nil || m.HTML != "" {
		t.Errorf("a template without HTML has an HTML part: %q, %v", m.HTML, err)
	}
}

// Limits count what is fixed, too.
func TestFixedTextCounts(t *testing.T) {
	tpl := mustCompile(t, "s", "12345{{ name }}", "t")
	if _, err := tpl.Render(Vars{}, Limits{OutputBytes: 5}); err != nil {
		t.Error(err)
	}
	for _, v := range []Vars{{Name: "6"}, {PixelURL: appending("")}} {
		if _, err := tpl.Render(v, Limits{OutputBytes: 5}); code(err) != CodeTooLarge {
			t.Errorf("got %v", err)
		}
	}
}

// Many plain links and variables need no clock, and so no library.
func TestSimplePartsNeedNoLibrary(t *testing.T) {
	tpl := mustCompile(t, "s", strings.Repeat(`<a href="https://example.org/">{{ name | default: "reader" }}</a>`, 100), "t")
	if tpl.html.code != nil {
		t.Error("the library has a share")
	}
}
