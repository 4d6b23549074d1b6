package api

import (
	"context"
	"net/http"
	"sync"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain/event"
)

// Projection is how one projection does.
type Projection struct {
	Name     string   `json:"name"`
	Version  int      `json:"version" doc:"that it should have"`
	Serving  string   `json:"serving,omitempty" doc:"the model that answers"`
	Building string   `json:"building,omitempty" doc:"the model that is being built beside it"`
	Position uint64   `json:"position" doc:"of the serving model"`
	Head     uint64   `json:"head" doc:"of the log"`
	Lag      uint64   `json:"lag"`
	Poison   int      `json:"poison" doc:"events that could not be read"`
	Stopped  string   `json:"stopped,omitempty" doc:"why it does not go on"`
	Rebuild  *Rebuild `json:"rebuild,omitempty" doc:"the last one asked for since the start"`
}

// Rebuild is how far a projection's rebuild has come.
type Rebuild struct {
	Status string `json:"status" doc:"running, finished or failed"`
	Done   uint64 `json:"done" doc:"position"`
	Head   uint64 `json:"head" doc:"position to reach"`
}

// rebuilds is what this process has been asked to rebuild, by projection.
type rebuilds struct {
	mu sync.Mutex
	by map[string]Rebuild
}

func (s *Server) projectionRoutes() {
	add(s, operatorRoute(http.MethodGet, "/projections", "list-projections", "operation", "List the projections and how each does"),
		func(ctx context.Context, _ *struct{}) (*Shown[Page[Projection]], error) {
			all, err := s.projections(ctx)
			return &Shown[Page[Projection]]{Page[Projection]{Items: all}}, err
		})
	rebuild := operatorRoute(http.MethodPost, "/projections/{name}/rebuild", "rebuild-projection", "operation",
		"Build a projection anew beside the serving one, then switch; the list shows how far it has come")
	rebuild.DefaultStatus = http.StatusAccepted
	add(s, rebuild, func(ctx context.Context, in *struct {
		Name string `path:"name" maxLength:"100"`
	}) (*Shown[Projection], error) {
		return s.rebuild(ctx, in.Name)
	})
}

func (s *Server) projections(ctx context.Context) ([]Projection, error) {
	all, err := s.deps.Projections(ctx)
	s.rebuilds.mu.Lock()
	defer s.rebuilds.mu.Unlock()
	for i := range all {
		if r, ok := s.rebuilds.by[all[i].Name]; ok {
			all[i].Rebuild = &r
		}
	}
	return all, err
}

// rebuild begins, unless the projection is being rebuilt: then that goes on.
func (s *Server) rebuild(ctx context.Context, name string) (*Shown[Projection], error) {
	if _, err := s.projection(ctx, name); err != nil {
		return nil, err
	}
	if s.rebuilds.begin(name) {
		s.running.Go(func() {
			err := s.deps.Models.Rebuild(s.background, name, func(done, head event.Position) {
				s.rebuilds.set(name, Rebuild{"running", uint64(done), uint64(head)})
			})
			s.rebuilds.end(name, err)
			if err != nil && s.background.Err() == nil {
				s.deps.Logger.Error("rebuild failed", "projection", name, "error", err)
			}
		})
	}
	p, err := s.projection(ctx, name)
	return &Shown[Projection]{p}, err
}

func (s *Server) projection(ctx context.Context, name string) (Projection, error) {
	all, err := s.projections(ctx)
	if err != nil {
		return Projection{}, err
	}
	for _, p := range all {
		if p.Name == name {
			return p, nil
		}
	}
	return Projection{}, commands.ErrNotFound
}

// begin reports whether nobody rebuilds the projection yet.
func (r *rebuilds) begin(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by[name].Status == "running" {
		return false
	}
	if r.by == nil {
		r.by = map[string]Rebuild{}
	}
	r.by[name] = Rebuild{Status: "running"}
	return true
}

func (r *rebuilds) set(name string, now Rebuild) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.by[name] = now
}

func (r *rebuilds) end(name string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.by[name]
	if now.Status = "finished"; err != nil {
		now.Status = "failed"
	}
	r.by[name] = now
}
