// Package metrics measures what goes through the program's edges, as
// Prometheus wants it. Labels are names out of the code: never a path, an
// address or an id.
package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// HTTP makes handlers measure how long requests take, by the pattern of the
// route that took them (innermost, where one mux hands on to another), their
// method and the class of their status. Ask for it once a registry.
func HTTP(registry prometheus.Registerer) func(next http.Handler) http.Handler {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "cleversender_http_request_seconds",
		Help:    "How long HTTP requests took, by route pattern, method and class of status.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8), // half a millisecond to eight seconds
	}, []string{"route", "method", "status"})
	registry.MustRegister(seconds)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			begun, seen := time.Now(), &seer{ResponseWriter: w, status: http.StatusOK}
			defer func() { // a handler that panics has been asked, too
				seconds.WithLabelValues(route(r), method(r.Method), strconv.Itoa(seen.status/100)+"xx").
					Observe(time.Since(begun).Seconds())
			}()
			next.ServeHTTP(seen, r)
		})
	}
}

// route is what a mux has noted in the request.
func route(r *http.Request) string {
	if r.Pattern == "" {
		return "none"
	}
	return r.Pattern
}

// method keeps made-up methods from making up labels.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	default:
		return "other"
	}
}

// seer sees the status go by.
type seer struct {
	http.ResponseWriter
	status int
	wrote  bool
}

// WriteHeader implements http.ResponseWriter.
func (s *seer) WriteHeader(status int) {
	if !s.wrote && status >= 200 {
		s.status, s.wrote = status, true
	}
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the writer underneath.
func (s *seer) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Flush implements http.Flusher, which some look for by type.
func (s *seer) Flush() { _ = http.NewResponseController(s.ResponseWriter).Flush() }
