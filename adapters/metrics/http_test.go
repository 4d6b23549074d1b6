package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/adapters/metrics"
)

// Requests are counted by the innermost pattern that took them; no path, no
// token and no made-up method becomes a label.
func TestHTTPByPattern(t *testing.T) {
	inner := http.NewServeMux()
	inner.HandleFunc("GET /api/things/{id}", func(http.ResponseWriter, *http.Request) {})
	inner.HandleFunc("POST /api/things/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	outer := http.NewServeMux()
	outer.Handle("/api/", inner)
	outer.HandleFunc("/u/{token}", func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
	})
	registry := prometheus.NewRegistry()
	h := metrics.HTTP(registry)(outer)
	for _, c := range []struct{ method, path string }{
		{"GET", "/api/things/1"}, {"GET", "/api/things/2"}, {"POST", "/api/things/2"}, {"FROB", "/u/secret"}, {"GET", "/nowhere/secret"},
	} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(c.method, c.path, nil))
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, m := range families[0].GetMetric() {
		key := ""
		for _, l := range m.GetLabel() {
			key += l.GetValue() + "|"
		}
		got[key] = m.GetHistogram().GetSampleCount()
	}
	want := map[string]uint64{
		"GET|GET /api/things/{id}|2xx|": 2, "POST|POST /api/things/{id}|4xx|": 1, "other|/u/{token}|2xx|": 1, "GET|none|4xx|": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
