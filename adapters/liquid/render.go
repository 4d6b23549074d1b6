package liquid

import (
	"errors"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/osteele/liquid/render"

	"github.com/cleversender/cleversender/domain"
)

// Output takes a part piece by piece, in order.
type Output interface {
	Fixed(i int) // the part's fixed text i, see Template.Fixed
	io.Writer    // what differs from message to message
	io.StringWriter
}

// Rendering makes the parts of one recipient's message, in any order; the
// limits hold for all of them together. Errors are refusals: CodeInvalid,
// CodeTooSlow, CodeTooLarge; none holds a value of Vars. One goroutine uses it,
// for one recipient after the other.
type Rendering struct {
	template   *Template
	vars       Vars
	limits     Limits
	now        func() time.Time
	bound      map[string]any // what the library sees; made once it is asked
	out        limited        // of the part at hand
	whole      inFull         // the part at hand, where it is put into a string
	iterations int            // left
	ticks      int
	deadline   time.Time // zero: none
	room       [512]byte // for a link or the pixel
}

// Rendering begins a message.
func (t *Template) Rendering(vars Vars, limits Limits) *Rendering {
	return &Rendering{template: t, vars: vars, limits: limits, now: time.Now}
}

// Begin begins the next recipient's message, and forgets the last one's.
func (r *Rendering) Begin(vars Vars) {
	r.vars, r.bound, r.whole, r.ticks = vars, nil, inFull{}, 0
}

// Subject is one line.
func (r *Rendering) Subject() (string, error) {
	s, err := r.inFull(&r.template.subject)
	return oneLine(s), err
}

// HTML writes the HTML part; without one, nothing.
func (r *Rendering) HTML(out Output) error { return r.part(&r.template.html, out) }

// Text writes the text part.
func (r *Rendering) Text(out Output) error { return r.part(&r.template.text, out) }

// Render makes a message in strings. Its errors are those of a Rendering.
func (t *Template) Render(vars Vars, limits Limits) (m Message, err error) {
	return t.Rendering(vars, limits).message()
}

func (r *Rendering) message() (m Message, err error) {
	if m.Subject, err = r.Subject(); err != nil {
		return Message{}, err
	}
	if m.HTML, err = r.inFull(&r.template.html); err != nil {
		return Message{}, err
	}
	m.Text, err = r.inFull(&r.template.text)
	return m, err
}

func (r *Rendering) inFull(p *part) (string, error) {
	r.whole = inFull{texts: p.fixed}
	r.whole.Grow(128) // most subjects
	err := r.part(p, &r.whole)
	return r.whole.String(), err
}

func (r *Rendering) part(p *part, out Output) (err error) {
	r.out = limited{out: out, texts: p.fixed, left: r.limits.OutputBytes}
	if p.code == nil {
		return r.segments(p.segments, p.escape, nil)
	}
	defer func() { // filters panic on some input, and so does a writer that is full
		if thrown := recover(); thrown != nil {
			var refusal domain.Refusal
			if e, ok := thrown.(error); ok && errors.As(e, &refusal) {
				err = refusal
				return
			}
			err = invalid(p.name, 1, "it cannot be rendered")
		}
	}()
	if fault := p.code.FRender(&r.out, r.bindings()); fault != nil {
		return asRefusal(p.name, fault)
	}
	return nil
}

const runKey = "\x00run" // templates cannot name it

func runOf(ctx render.Context) *Rendering { return ctx.Get(runKey).(*Rendering) }

// bindings starts the clock when the library is first asked.
func (r *Rendering) bindings() map[string]any {
	if r.bound == nil {
		v := &r.vars
		r.bound = map[string]any{
			"name": v.Name, "email": v.Email, "attributes": v.Attributes, "list": v.List, "campaign": v.Campaign,
			"unsubscribe_url": v.UnsubscribeURL, "view_url": v.ViewURL, runKey: r,
		}
		r.iterations = r.limits.Iterations
		if r.limits.Time > 0 {
			r.deadline = r.now().Add(r.limits.Time)
		}
	}
	return r.bound
}

// tick spends a step: loop marks an iteration.
func (r *Rendering) tick(loop bool) error {
	if loop {
		if r.iterations--; r.iterations < 0 {
			return errTooSlow
		}
	}
	if r.ticks++; r.ticks%16 == 0 || !loop {
		if !r.deadline.IsZero() && r.now().After(r.deadline) {
			return errTooSlow
		}
	}
	return nil
}

// limited is an output that can be full.
type limited struct {
	out   Output
	texts []string // what Fixed stands for
	left  int
}

func (w *limited) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, errTooLarge
	}
	return w.out.Write(b)
}

func (w *limited) add(s string) error {
	if w.left -= len(s); w.left < 0 {
		return errTooLarge
	}
	_, err := w.out.WriteString(s)
	return err
}

func (w *limited) fixed(i int) error {
	if w.left -= len(w.texts[i]); w.left < 0 {
		return errTooLarge
	}
	w.out.Fixed(i)
	return nil
}

// inFull is an output that puts everything into a string.
type inFull struct {
	strings.Builder
	texts []string
}

func (o *inFull) Fixed(i int) { o.WriteString(o.texts[i]) }

// oneLine makes a header of text: no line breaks or other controls, which
// become spaces, and no space at the ends.
func oneLine(s string) string {
	control := func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }
	if strings.IndexFunc(s, control) < 0 {
		return strings.TrimSpace(s)
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return control(r) || r == ' ' }), " ")
}
