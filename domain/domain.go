// Package domain holds what the engine knows to be true, free of I/O, clocks and randomness.
package domain

import "errors"

// A Refusal is a rule saying no. It is an answer, not a fault: adapters show
// Reason to the user and map Code to a status; nobody logs it as an error.
type Refusal struct{ Code, Reason string }

func (r Refusal) Error() string { return r.Reason }

// Refuse declares a rule's refusal. Codes are API: stable, snake_case.
func Refuse(code, reason string) error { return Refusal{code, reason} }

// ErrConflict: somebody else wrote to the stream since it was loaded. The
// command is decided again.
var ErrConflict = errors.New("stream changed meanwhile")
