package liquid

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	osteele "github.com/osteele/liquid"
	"github.com/osteele/liquid/expressions"
	"github.com/osteele/liquid/render"

	"github.com/cleversender/cleversender/domain"
)

// Template is compiled and ready for any number of recipients, by many
// goroutines at once.
type Template struct {
	subject, html, text part
	links               []string
}

// part is one of the three; fixed holds it whole when it has nothing to render.
type part struct {
	name  string
	fixed string
	code  *osteele.Template
	size  *atomic.Int64 // of the last output: room for the next
}

// Compile reads a template. Without a text part one is made from the HTML part.
// Errors are refusals with CodeInvalid, which name part and line, or CodeTooLarge.
func Compile(subject, html, text string) (*Template, error) {
	if err := check("html", html); err != nil {
		return nil, err
	}
	if strings.TrimSpace(text) == "" {
		text = plainText(html)
	}
	t := &Template{}
	var err error
	if t.subject, err = compile("subject", subject, plainEngine); err != nil {
		return nil, err
	}
	if t.text, err = compile("text", text, plainEngine); err != nil {
		return nil, err
	}
	rewritten, links, err := trackable(html)
	if err != nil {
		return nil, err
	}
	t.links = links
	t.html, err = parse("html", rewritten, htmlEngine)
	return t, err
}

// Links are the targets of the HTML part's tracked links: http and https links
// written out in the template, each once, in order of appearance. A link with
// a variable in it is not tracked: its target would differ from person to person.
func (t *Template) Links() []string { return t.links }

func compile(name, source string, engine engine) (part, error) {
	if err := check(name, source); err != nil {
		return part{}, err
	}
	return parse(name, source, engine)
}

func parse(name, source string, engine engine) (p part, err error) {
	p.name = name
	if !strings.Contains(source, "{{") && !strings.Contains(source, "{%") {
		p.fixed = source
		return p, nil
	}
	defer func() { // the parser panics on some input
		if r := recover(); r != nil {
			p, err = part{}, invalid(name, 1, "it cannot be read")
		}
	}()
	code, fault := engine.ParseTemplateLocation([]byte(withOurCapture(source)), "", 1)
	if fault != nil {
		return part{}, invalid(name, fault.LineNumber(), reason(fault))
	}
	root := code.GetRoot().(*render.SeqNode)
	if err := guard(name, root); err != nil {
		return part{}, err
	}
	segmented(root, engine.escape)
	p.code, p.size = code, new(atomic.Int64)
	return p, nil
}

// reason is what the parser found wrong, without the place, which is added again.
func reason(fault osteele.SourceError) string {
	text := fault.Error()
	if cause := fault.Cause(); cause != nil {
		text = cause.Error()
	}
	text = strings.TrimPrefix(text, fmt.Sprintf("Liquid error (line %d): ", fault.LineNumber()))
	text, _, _ = strings.Cut(text, "\n")
	text = strings.ReplaceAll(text, capture, "capture")
	return strings.ToValidUTF8(text[:min(len(text), 200)], "")
}

// asRefusal is a rendering error without what was being rendered: the
// libraries' messages quote values, and values belong to people.
func asRefusal(name string, fault osteele.SourceError) error {
	var refusal domain.Refusal
	for err := error(fault); err != nil; {
		if errors.As(err, &refusal) {
			return refusal
		}
		switch e := err.(type) {
		case expressions.FilterError:
			err = e.Err
		case interface{ Cause() error }:
			err = e.Cause()
		default:
			err = nil
		}
	}
	return invalid(name, fault.LineNumber(), "an expression cannot be evaluated")
}
