package main

import (
	"fmt"
	"io"
	"net/http"

	"github.com/cleversender/cleversender/adapters/api"
)

type keyVerbs struct {
	Epoch   keyEpochVerb   `cmd:"" help:"Show the epoch that people's keys are wrapped in (operator)."`
	Rotate  keyRotateVerb  `cmd:"" help:"Begin a new epoch: wrap every living key anew (operator)."`
	Destroy keyDestroyVerb `cmd:"" help:"Destroy an old epoch: no backup of keys from it can be opened again (operator)."`
}

type keyEpochVerb struct{}

// Run implements the verb.
func (keyEpochVerb) Run(s *session) error { return s.epoch(http.MethodGet, "/keys/epoch") }

type keyRotateVerb struct{}

// Run implements the verb.
func (keyRotateVerb) Run(s *session) error { return s.epoch(http.MethodPost, "/keys/epochs") }

func (s *session) epoch(method, path string) error {
	var now api.KeyEpoch
	if err := s.call(method, path, nil, &now); err != nil {
		return err
	}
	return s.print(now, func(w io.Writer) { fmt.Fprintln(w, "epoch", now.Epoch) })
}

type keyDestroyVerb struct {
	Epoch int `arg:""`
}

// Run implements the verb.
func (v keyDestroyVerb) Run(s *session) error {
	return s.done(s.call(http.MethodDelete, fmt.Sprintf("/keys/epochs/%d", v.Epoch), nil, nil), "destroyed")
}
