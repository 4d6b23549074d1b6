package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Server is the API as an http.Handler. It serves Prefix and what is under it.
type Server struct {
	deps Deps
	mux  *http.ServeMux
	api  huma.API

	background context.Context // of rebuilds; ends at Close
	stop       context.CancelFunc
	running    sync.WaitGroup
	rebuilds   rebuilds
}

// New makes the API. Close it after the server has stopped.
func New(deps Deps) *Server {
	s := &Server{deps: deps, mux: http.NewServeMux()}
	s.background, s.stop = context.WithCancel(context.Background())
	s.api = humago.New(s.mux, config(deps.Version.Version))
	s.api.UseMiddleware(s.authenticate)
	s.mux.HandleFunc(Prefix+"/", s.noRoute)
	for _, routes := range []func(){
		s.accountRoutes, s.tokenRoutes, s.listRoutes, s.subscriberRoutes, s.consentRoutes, s.holdRoutes, s.timelineRoutes,
		s.importRoutes, s.templateRoutes, s.campaignRoutes, s.preflightRoutes, s.messageRoutes, s.reportRoutes, s.requestRoutes,
		s.projectionRoutes, s.eventRoutes, s.keyRoutes, s.dkimRoutes, s.versionRoutes,
	} {
		routes()
	}
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	s.mux.ServeHTTP(w, r)
}

// Close ends what goes on in the background, and waits for it.
func (s *Server) Close() {
	s.stop()
	s.running.Wait()
}

// OpenAPI is the description of the API, as it is served.
func (s *Server) OpenAPI() *huma.OpenAPI { return s.api.OpenAPI() }

func config(version string) huma.Config {
	c := huma.DefaultConfig("Clever Sender", version)
	c.CreateHooks = nil // bodies hold what is documented, and no $schema besides
	c.OpenAPIPath = Prefix + "/openapi"
	c.DocsPath, c.SchemasPath = "", "" // the page of documentation would ask third parties
	c.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	c.RejectUnknownQueryParameters = true
	c.Info.Description = "Every change is an appended event. Errors are problem documents with a stable code."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		bearer: {Type: "http", Scheme: "bearer", Description: "A token of the account. Some calls ask for one of the operator's."},
	}
	return c
}

// jsonFormat takes nothing that is not UTF-8: the standard decoder would put
// replacement characters in its place without a word.
var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	},
	Unmarshal: func(data []byte, v any) error {
		if !utf8.Valid(data) {
			return errors.New("the body is not UTF-8")
		}
		return json.Unmarshal(data, v)
	},
}

// noRoute answers what no route takes: a wrong method, or a wrong path.
func (s *Server) noRoute(w http.ResponseWriter, r *http.Request) {
	p := problem(http.StatusNotFound, "no_such_route", "there is nothing at this path")
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := s.mux.Handler(other); pattern != Prefix+"/" && pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 && !slices.Contains(allowed, r.Method) {
		p = problem(http.StatusMethodNotAllowed, "method_not_allowed", "this path takes "+strings.Join(allowed, ", "))
		w.Header().Set("Allow", strings.Join(allowed, ", "))
	}
	writeProblem(w, p)
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client may have left
}
