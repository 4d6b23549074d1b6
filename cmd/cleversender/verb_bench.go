package main

import (
	"fmt"
	"io"

	"github.com/cleversender/cleversender/cmd/cleversender/bench"
)

type benchVerb struct {
	Name      string `arg:"" enum:"import,append,rebuild,send,track,export,erase" help:"import, append, rebuild, send, track, export or erase."`
	Size      int    `help:"How many people (append: events). Without it, what the figures in the documentation are for." aliases:"recipients"`
	Campaigns int    `help:"Track: how many campaigns the hits are spread over." default:"1"`
	Dir       string `help:"Where to put the data; without it a temporary folder." type:"path"`
	SMTP      string `help:"Send: the server to measure on, host:port or a URL; without it a sink of our own." name:"smtp"`

	DKIM       bool   `help:"Send: a campaign signed with a key of 2048 bits, beside the same one unsigned and the signatures alone." name:"dkim"`
	CPUProfile string `help:"File to write a CPU profile of what is measured to (go tool pprof)." type:"path" name:"cpuprofile"`
}

// Run measures on generated data; it touches no data folder of yours.
func (v benchVerb) Run(s *session) error {
	c := bench.Config{Stores: s.globals.Stores, Size: v.Size, Campaigns: v.Campaigns, Dir: v.Dir, SMTP: v.SMTP, DKIM: v.DKIM, CPUProfile: v.CPUProfile}
	if s.terminal() {
		c.Log = s.err
	}
	return bench.Run(s.ctx, v.Name, c, func(r bench.Report) error {
		return s.print(r, func(w io.Writer) { fmt.Fprintln(w, r) })
	})
}

// benchPartVerb is for bench alone: what it measures with, in a process of its own.
type benchPartVerb struct {
	Name string `arg:""`
}

// Run ends when its input does.
func (v benchPartVerb) Run(s *session) error { return bench.Part(s.ctx, v.Name, s.in, s.out) }
