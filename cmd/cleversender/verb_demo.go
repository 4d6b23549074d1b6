package main

import (
	"io"
	"log/slog"

	"github.com/cleversender/cleversender/cmd/cleversender/demo"
)

type demoVerb struct {
	Exit   bool   `help:"End after the story; the exit code says whether everything held."`
	Listen string `help:"Address to serve on." default:"127.0.0.1:0"`
}

// Run tells the story; with --json it prints the summary alone.
func (v demoVerb) Run(s *session) error {
	o := demo.Options{Exit: v.Exit, Listen: v.Listen, Story: s.out, Logger: s.logger(slog.LevelWarn), Stores: s.globals.Stores}
	if s.globals.JSON {
		o.Story = io.Discard
	}
	return demo.Run(s.ctx, o, func(sum demo.Summary) error {
		if !s.globals.JSON {
			return nil
		}
		return s.print(sum, nil)
	})
}
