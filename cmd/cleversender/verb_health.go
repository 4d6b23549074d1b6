package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/cleversender/cleversender/cmd/cleversender/client"
)

type healthVerb struct{}

// healthTime is how long a server may take to say that it is well.
const healthTime = 5 * time.Second

// Run asks the server that is named, or the one that holds the data folder.
func (healthVerb) Run(s *session) error {
	server, err := s.server()
	if err != nil {
		return err
	}
	if server == "" {
		return fmt.Errorf("%w: none holds the data folder", client.ErrUnreachable)
	}
	c, err := client.Dial(server, "")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, healthTime)
	defer cancel()
	if err := c.Ready(ctx); err != nil {
		return err
	}
	return s.print(map[string]bool{"ready": true}, func(w io.Writer) { fmt.Fprintln(w, "ready") })
}
