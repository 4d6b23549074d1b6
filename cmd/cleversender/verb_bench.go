package main

import (
	"fmt"
	"io"

	"github.com/cleversender/cleversender/cmd/cleversender/bench"
)

type benchVerb struct {
	Name      string `arg:"" enum:"import,append,rebuild,track,export,erase" help:"import, append, rebuild, track, export or erase."`
	Size      int    `help:"How many people (append: events). Without it, what the figures in the documentation are for."`
	Campaigns int    `help:"Track: how many campaigns the hits are spread over." default:"1"`
	Dir       string `help:"Where to put the data; without it a temporary folder." type:"path"`

	CPUProfile string `help:"File to write a CPU profile of what is measured to (go tool pprof)." type:"path" name:"cpuprofile"`
}

// Run measures on generated data; it touches no data folder of yours.
func (v benchVerb) Run(s *session) error {
	c := bench.Config{Size: v.Size, Campaigns: v.Campaigns, Dir: v.Dir, CPUProfile: v.CPUProfile}
	if s.terminal() {
		c.Log = s.err
	}
	return bench.Run(s.ctx, v.Name, c, func(r bench.Report) error {
		return s.print(r, func(w io.Writer) { fmt.Fprintln(w, r) })
	})
}
