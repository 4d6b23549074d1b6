package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cleversender/cleversender/adapters/api"
)

type projectionVerbs struct {
	List    projectionListVerb    `cmd:"" aliases:"ls" help:"How every projection does."`
	Rebuild projectionRebuildVerb `cmd:"" help:"Build projections anew beside the serving ones, then switch (operator)."`
}

type projectionListVerb struct{}

// Run implements the verb.
func (projectionListVerb) Run(s *session) error {
	return listed(s, "/projections", paging{}, []string{"NAME", "SERVING", "POSITION", "LAG", "POISON", "STATE"}, func(p api.Projection) []string {
		state := "live"
		if p.Stopped != "" {
			state = "stopped: " + p.Stopped
		}
		return []string{p.Name, p.Serving, fmt.Sprint(p.Position), fmt.Sprint(p.Lag), fmt.Sprint(p.Poison), state}
	})
}

type projectionRebuildVerb struct {
	Name []string `arg:"" optional:"" help:"Which; without it all."`
}

// Run implements the verb.
func (v projectionRebuildVerb) Run(s *session) error {
	if len(v.Name) == 0 {
		var page api.Page[api.Projection]
		if err := s.get("/projections", &page); err != nil {
			return err
		}
		for _, p := range page.Items {
			v.Name = append(v.Name, p.Name)
		}
	}
	for _, name := range v.Name {
		if err := s.rebuild(name); err != nil {
			return fmt.Errorf("rebuild %s: %w", name, err)
		}
	}
	return s.print(map[string][]string{"rebuilt": v.Name}, func(w io.Writer) {
		for _, name := range v.Name {
			fmt.Fprintln(w, "rebuilt", name)
		}
	})
}

func (s *session) rebuild(name string) error {
	var p api.Projection
	if err := s.post("/projections/"+name+"/rebuild", nil, &p); err != nil {
		return err
	}
	bar := s.bar(-1, name)
	defer func() { _ = bar.Finish() }()
	for p.Rebuild != nil && p.Rebuild.Status == "running" {
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
		var page api.Page[api.Projection]
		if err := s.get("/projections", &page); err != nil {
			return err
		}
		for _, one := range page.Items {
			if one.Name == name {
				p = one
			}
		}
		if p.Rebuild != nil && p.Rebuild.Head > 0 {
			bar.ChangeMax64(int64(p.Rebuild.Head))
			_ = bar.Set64(int64(p.Rebuild.Done))
		}
	}
	if p.Rebuild == nil || p.Rebuild.Status != "finished" {
		return errors.New("it did not finish; the server's log says why")
	}
	return nil
}
