package main

import (
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
)

// health says by its exit code whether the server that holds the folder, or is
// named, does its whole job.
func TestHealth(t *testing.T) {
	h := newHouse(t)
	h.exits(exitBusy, "health")
	s := h.serve("smtp://127.0.0.1:1", "--listen", ":0") // every address, as in a container
	if said := h.cli("health"); said != "ready" {
		t.Errorf("a server that is well: %q", said)
	}
	s.signal(syscall.SIGTERM)
	s.wait()
	h.exits(exitBusy, "health")

	ill := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer ill.Close()
	h.exits(exitFault, "--server", ill.URL, "health")
}
