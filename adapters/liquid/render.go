package liquid

import (
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/cleversender/cleversender/domain"
)

// run is what a rendering has left to spend. Templates cannot name its binding.
type run struct {
	vars       *Vars
	out        *limited // of the part at hand
	iterations int
	ticks      int
	deadline   time.Time // zero: none
	now        func() time.Time
}

const runKey = "\x00run"

// tick spends a step: loop marks an iteration.
func (r *run) tick(loop bool) error {
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

// Render makes the message for one recipient. Errors are refusals: CodeInvalid,
// CodeTooSlow, CodeTooLarge; none holds a value of vars.
func (t *Template) Render(vars Vars, limits Limits) (Message, error) {
	return t.render(vars, limits, time.Now)
}

func (t *Template) render(vars Vars, limits Limits, now func() time.Time) (Message, error) {
	r := &run{vars: &vars, iterations: limits.Iterations, now: now}
	if limits.Time > 0 {
		r.deadline = now().Add(limits.Time)
	}
	bindings := map[string]any{
		"name": vars.Name, "email": vars.Email, "attributes": vars.Attributes,
		"list": vars.List, "campaign": vars.Campaign,
		"unsubscribe_url": vars.UnsubscribeURL, "view_url": vars.ViewURL,
		runKey: r,
	}
	var m Message
	var err error
	if m.Subject, err = t.subject.render(r, bindings, limits.OutputBytes); err != nil {
		return Message{}, err
	}
	m.Subject = oneLine(m.Subject)
	if m.HTML, err = t.html.render(r, bindings, limits.OutputBytes); err != nil {
		return Message{}, err
	}
	m.Text, err = t.text.render(r, bindings, limits.OutputBytes)
	return m, err
}

func (p part) render(r *run, bindings map[string]any, limit int) (out string, err error) {
	if p.code == nil {
		if len(p.fixed) > limit {
			return "", errTooLarge
		}
		return p.fixed, nil
	}
	r.out = &limited{left: limit}
	r.out.buf.Grow(min(int(p.size.Load()), limit))
	defer func() { // filters panic on some input, and so does a writer that is full
		if thrown := recover(); thrown != nil {
			var refusal domain.Refusal
			if e, ok := thrown.(error); ok && errors.As(e, &refusal) {
				out, err = "", refusal
				return
			}
			out, err = "", invalid(p.name, 1, "it cannot be rendered")
		}
	}()
	if fault := p.code.FRender(r.out, bindings); fault != nil {
		return "", asRefusal(p.name, fault)
	}
	p.size.Store(int64(r.out.buf.Len() + 64))
	return r.out.buf.String(), nil
}

// limited is a buffer that can be full.
type limited struct {
	buf  strings.Builder
	left int
}

func (w *limited) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, errTooLarge
	}
	return w.buf.Write(b)
}

func (w *limited) add(s string) error {
	if w.left -= len(s); w.left < 0 {
		return errTooLarge
	}
	w.buf.WriteString(s)
	return nil
}

// oneLine makes a header of text: no line breaks or other controls, which
// become spaces, and no space at the ends.
func oneLine(s string) string {
	control := func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }
	if strings.IndexFunc(s, control) < 0 {
		return strings.TrimSpace(s)
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return control(r) || r == ' ' }), " ")
}
