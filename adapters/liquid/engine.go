package liquid

import (
	"io"
	"strconv"
	"strings"

	osteele "github.com/osteele/liquid"
	"github.com/osteele/liquid/parser"
	"github.com/osteele/liquid/render"
	"github.com/osteele/liquid/values"
)

// engine is the library's, with how it escapes.
type engine struct {
	*osteele.Engine
	escape func(string) string
}

var (
	plainEngine = engine{newEngine(false), func(s string) string { return s }}
	htmlEngine  = engine{newEngine(true), escapeHTML}
)

// Names of our own tags; check refuses them in what people write.
const (
	linkTag  = "cleversender_link"
	pixelTag = "cleversender_pixel"
	capture  = "cleversender_capture"
)

func newEngine(html bool) *osteele.Engine {
	e := osteele.NewEngine()
	e.UnregisterTag("include") // it reads files
	addFilters(e, html)
	addCapture(e, html)
	if html {
		e.SetAutoEscapeReplacer(escaper{})
		e.RegisterTag(pixelTag, func(ctx render.Context) (string, error) { return string(runOf(ctx).appendPixel(nil)), nil })
		e.RegisterTag(linkTag, linkInTree)
	}
	return e
}

// linkInTree is a tracked link where the library renders the whole part: its
// arguments are the index and the attribute's value as it was written.
func linkInTree(ctx render.Context) (string, error) {
	index, written, _ := strings.Cut(ctx.TagArgs(), " ")
	i, err := strconv.Atoi(index)
	return string(runOf(ctx).appendLink(nil, i, written)), err
}

// withOurCapture names our capture block where the library's was written, which
// cannot be replaced under its own name.
func withOurCapture(source string) string {
	if !strings.Contains(source, "capture") {
		return source
	}
	var out strings.Builder
	for _, t := range scan(source) {
		if !t.inert && t.Type == parser.TagTokenType && (t.Name == "capture" || t.Name == "endcapture") {
			out.WriteString(strings.Replace(t.Source, "capture", capture, 1))
			continue
		}
		out.WriteString(t.Source)
	}
	return out.String()
}

// addCapture adds a capture block that is bounded, and whose result is not
// escaped a second time.
func addCapture(e *osteele.Engine, html bool) {
	e.RegisterBlock(capture, func(ctx render.Context) (string, error) {
		name := strings.Trim(strings.TrimSpace(ctx.TagArgs()), `"'`)
		if name == "" || strings.ContainsAny(name, " \t\r\n") {
			return "", ctx.Errorf("capture takes one name")
		}
		var held inFull
		if err := ctx.RenderChildren(&limited{out: &held, left: maxValue}); err != nil {
			return "", err
		}
		if html {
			ctx.Set(name, values.SafeValue{Value: held.String()})
		} else {
			ctx.Set(name, held.String())
		}
		return "", nil
	})
}

// escaper is render.Replacer: it escapes what variables and filters yield.
type escaper struct{}

func (escaper) WriteString(w io.Writer, s string) (int, error) {
	return io.WriteString(w, escapeHTML(s))
}

var htmlReplacer = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "\x00", "\uFFFD")

var special = [256]bool{'&': true, '<': true, '>': true, '"': true, '\'': true, 0: true}

// escapeHTML makes text of s inside elements and quoted attribute values.
func escapeHTML(s string) string {
	for i := range len(s) {
		if special[s[i]] {
			return htmlReplacer.Replace(s)
		}
	}
	return s
}
