package main

import (
	"fmt"
	"io"

	"github.com/cleversender/cleversender/cmd/cleversender/engine"
)

type versionVerb struct{}

// Run says which version this is; it opens nothing.
func (versionVerb) Run(s *session) error {
	v := engine.Version()
	return s.print(v, func(w io.Writer) { fmt.Fprintf(w, "cleversender %s (%s, %s)\n", v.Version, v.Commit, v.Go) })
}
