package liquid

import (
	"errors"
	"fmt"
	"strings"

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

// part is one of the three.
type part struct {
	name     string
	fixed    []string
	segments []segment
	escape   func(string) string
	code     *osteele.Template // nil: the segments need no library
}

// Compile reads a template. Without a text part one is made from the HTML part;
// without an HTML part there is none.
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
	if strings.TrimSpace(html) == "" {
		return t, nil
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

// Fixed are the texts of each part that are the same in every message: what
// Output.Fixed counts. html is nil when there is no HTML part.
func (t *Template) Fixed() (text, html []string) { return t.text.fixed, t.html.fixed }

// FixedSubject is the subject when it is the same in every message.
func (t *Template) FixedSubject() (subject string, ok bool) {
	if t.subject.code != nil || len(t.subject.fixed) != len(t.subject.segments) {
		return "", false
	}
	return oneLine(strings.Join(t.subject.fixed, "")), true
}

func compile(name, source string, engine engine) (part, error) {
	if err := check(name, source); err != nil {
		return part{}, err
	}
	return parse(name, source, engine)
}

func parse(name, source string, engine engine) (p part, err error) {
	p.name, p.escape = name, engine.escape
	if !strings.Contains(source, "{{") && !strings.Contains(source, "{%") {
		p.fixed, p.segments = []string{source}, []segment{{kind: fixed}}
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
	p.code = code
	p.segmented(root)
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
