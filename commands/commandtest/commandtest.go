// Package commandtest lets tests of commands read as given, when, then.
package commandtest

import (
	"errors"
	"reflect"
	"testing"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
)

// Case is a test of one decision.
type Case[S commands.State[S, E], E any] struct {
	t     testing.TB
	given []E
	when  commands.Command[S, E]
}

// Given says what happened before.
func Given[S commands.State[S, E], E any](t testing.TB, past ...E) Case[S, E] {
	return Case[S, E]{t: t, given: past}
}

// When says what is asked now.
func (c Case[S, E]) When(cmd commands.Command[S, E]) Case[S, E] { c.when = cmd; return c }

func (c Case[S, E]) decide() ([]E, error) {
	var s S
	for _, e := range c.given {
		s = s.Evolve(e)
	}
	return c.when.Decide(s)
}

// Then expects these events, and that the command is quiet after them.
func (c Case[S, E]) Then(want ...E) {
	c.t.Helper()
	c.ThenOnce(want...)
	c.given = append(c.given[:len(c.given):len(c.given)], want...)
	c.ThenNothing()
}

// ThenOnce expects these events of a command that is a fact each time.
func (c Case[S, E]) ThenOnce(want ...E) {
	c.t.Helper()
	got, err := c.decide()
	if err != nil {
		c.t.Fatalf("refused: %v", err)
	}
	if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		c.t.Errorf("got %#v\nwant %#v", got, want)
	}
}

// ThenNothing expects that there is nothing to do.
func (c Case[S, E]) ThenNothing() { c.t.Helper(); c.ThenOnce() }

// ThenRefused expects a refusal, by its code: codes are API, sentences are not.
func (c Case[S, E]) ThenRefused(code string) {
	c.t.Helper()
	got, err := c.decide()
	var refusal domain.Refusal
	if !errors.As(err, &refusal) || refusal.Code != code {
		c.t.Errorf("got %#v, %v\nwant refusal %s", got, err, code)
	}
	if len(got) > 0 {
		c.t.Errorf("refused, and yet decided %#v", got)
	}
	if err != nil && refusal.Reason == "" {
		c.t.Errorf("refusal %s says nothing", code)
	}
}
