package recipient

import (
	"maps"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/domain"
)

// maxBody is what a page's form, or a mail client's one click, may send.
const maxBody = 8 << 10

// Handler serves the routes. Close it after the server has stopped.
type Handler struct {
	deps     Deps
	mux      *http.ServeMux
	recorder *recorder
	mailings mailings
	hits     *prometheus.CounterVec
}

// New makes the handler and starts its recorder.
func New(deps Deps) *Handler {
	h := &Handler{deps: deps, mux: http.NewServeMux(), recorder: newRecorder(deps)}
	h.hits = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "cleversender_tracking_hits_total",
		Help: "What recipients asked of us, by kind and by what came of it.",
	}, []string{"kind", "result"})
	if deps.Metrics != nil {
		deps.Metrics.MustRegister(h.hits)
	}
	for pattern, hit := range h.hitRoutes() {
		h.mux.HandleFunc(pattern, hit) // HEAD is GET's (net/http)
	}
	for _, method := range []string{"GET ", "POST "} {
		h.mux.HandleFunc(method+UnsubscribePath+TestToken, func(w http.ResponseWriter, _ *http.Request) { h.page(w, http.StatusOK, onlyTest) })
	}
	h.mux.HandleFunc("GET "+UnsubscribePath+"{token}", h.askToLeave)
	h.mux.HandleFunc("POST "+UnsubscribePath+"{token}", h.leave)
	h.mux.HandleFunc("GET "+ConfirmPath+"{token}", h.askToConfirm)
	h.mux.HandleFunc("POST "+ConfirmPath+"{token}", h.confirm)
	h.mux.HandleFunc("GET "+PreferencesPath+"{token}", h.showPreferences)
	h.mux.HandleFunc("POST "+PreferencesPath+"{token}", h.savePreferences)
	return h
}

func (h *Handler) hitRoutes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{"GET " + PixelPath + "{token}": h.pixel, "GET " + LinkPath + "{token}": h.link}
}

// Hits are the handlers of opens and clicks by their patterns, for whoever finds
// the pattern of a GET without a mux.
func (h *Handler) Hits() map[string]http.Handler {
	hits := map[string]http.Handler{}
	for pattern, hit := range h.hitRoutes() {
		hits[pattern] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			maps.Copy(w.Header(), always)
			hit(w, r)
		})
	}
	return hits
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	maps.Copy(w.Header(), always)
	if r.Method != http.MethodGet && r.Method != http.MethodHead { // those two have no body that we read
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	}
	h.mux.ServeHTTP(w, r)
}

// always is the headers of every answer; nobody appends to its slices.
var always = http.Header{
	"Cache-Control": {"no-store"}, "Referrer-Policy": {"no-referrer"},
	"X-Content-Type-Options": {"nosniff"}, "X-Robots-Tag": {"noindex, nofollow"},
}

// Close writes the hits that have been taken.
func (h *Handler) Close() { h.recorder.close() }

// token reads the path's token; a token of another kind is a forged one.
func (h *Handler) token(r *http.Request, kind Kind) (Token, error) {
	text := strings.TrimSuffix(r.PathValue("token"), PixelSuffix)
	t, err := h.deps.Parse(text, h.deps.Now())
	if err == nil && t.Kind != kind {
		err = errWrongKind
	}
	return t, err
}

var errWrongKind = domain.Refuse("bad_token", "the link is not one that we made, or it is incomplete")

// Results of a hit, as the metric calls them.
const (
	recorded  = "recorded"
	machine   = "machine" // recorded, and thought to be no person
	noConsent = "no_consent"
	forged    = "forged"
	expired   = "expired"
	unknown   = "unknown" // a token of ours, of something that is not there any more
	shown     = "shown"   // a page, nothing done
	fault     = "fault"
)

func (h *Handler) count(kind, result string) { h.hits.WithLabelValues(kind, result).Inc() }

// fail logs a fault. Neither the path nor the client is logged: they belong to a person.
func (h *Handler) fail(r *http.Request, kind string, err error) {
	h.count(kind, fault)
	h.deps.Logger.ErrorContext(r.Context(), "recipient's request failed", "kind", kind, "error", err)
}
