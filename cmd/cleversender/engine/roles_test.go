package engine_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/cleversender/cleversender/cmd/cleversender/engine"
)

// A node answers for its roles only, and always says how it does.
func TestRoles(t *testing.T) {
	for name, c := range map[string]struct {
		roles []engine.Role
		want  map[string]int // status by path
	}{
		"everything": {nil, map[string]int{"/api/v1/lists": 401, "/login": 200, "/o/x": 200, "/metrics": 200, "/healthz": 200}},
		"tracking": {
			[]engine.Role{engine.RoleTracking, engine.RoleProjections},
			map[string]int{"/api/v1/lists": 404, "/login": 404, "/o/x": 200, "/metrics": 200},
		},
		"api": {
			[]engine.Role{engine.RoleAPI, engine.RoleProjections},
			map[string]int{"/api/v1/lists": 401, "/login": 200, "/o/x": 303, "/healthz": 200}, // no pixel: the way to the login
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := engine.Options{Dir: filepath.Join(t.TempDir(), "data"), Roles: c.roles}
			if _, _, err := engine.Init(t.Context(), o, "Acme"); err != nil {
				t.Fatal(err)
			}
			e, err := engine.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := e.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}()
			h := e.Handler(engine.Web{Dashboard: true})
			for path, want := range c.want {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
				if w.Code != want {
					t.Errorf("%s answers %d, want %d", path, w.Code, want)
				}
			}
		})
	}
}

// What is kept by this node alone has to be folded by it; a store that does not
// exist is refused by name.
func TestStores(t *testing.T) {
	o := engine.Options{Dir: filepath.Join(t.TempDir(), "data")}
	if _, err := engine.Open(t.Context(), o); !errors.Is(err, engine.ErrNoFolder) {
		t.Errorf("before init: %v", err)
	}
	if _, _, err := engine.Init(t.Context(), o, "Acme"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := engine.Init(t.Context(), o, "Acme"); !errors.Is(err, engine.ErrExists) {
		t.Errorf("init again: %v", err)
	}
	for want, change := range map[error]func(*engine.Options){
		engine.ErrNobodyFolds: func(o *engine.Options) { o.Roles = []engine.Role{engine.RoleAPI} },
		engine.ErrStore:       func(o *engine.Options) { o.Log = "mysql://localhost/x" },
		engine.ErrNoFolder:    func(o *engine.Options) { o.Log = "sqlite:other.db" },
	} {
		other := o
		change(&other)
		if _, err := engine.Open(t.Context(), other); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	for _, change := range []func(*engine.Options){
		func(o *engine.Options) { o.ReadModels = "redis://localhost" },
		func(o *engine.Options) { o.Keys = "redis://localhost" },
	} {
		other := o
		change(&other)
		if _, err := engine.Open(t.Context(), other); !errors.Is(err, engine.ErrStore) {
			t.Errorf("%v, want %v", err, engine.ErrStore)
		}
	}
}
