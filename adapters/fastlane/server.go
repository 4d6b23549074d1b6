// Package fastlane answers plain GETs of a few routes at less cost than
// net/http does, and leaves whatever else comes to net/http.
//
// A connection is in the lane as long as each of its requests is whole at the
// first read, and so plain that there is one way only to read it; request.go says
// what is plain. With its first other request it goes to the http.Server, all
// that was read of it put back in front. It comes back when net/http has read a
// request that is the lane's: two parsers never look for the end of the same one.
//
// ReadHeaderTimeout, IdleTimeout and ErrorLog of the http.Server hold in the lane;
// its hooks, WriteTimeout, and what is more than a head of 4 KiB do not come there.
// A handler in the lane has its whole answer in memory; its request's context
// ends with the connection. Request, header and answer are a handler's until it
// returns: then they are used again. Strings may be kept.
package fastlane

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Server is an http.Server with a lane beside it.
type Server struct {
	rest    *http.Server
	routes  []route
	context context.Context
	cancel  context.CancelFunc

	stopping atomic.Bool // set under mu
	mu       sync.Mutex
	lane     map[net.Conn]struct{}
	running  sync.WaitGroup // one for each in lane
}

// route is a pattern of net/http's mux: GET, a prefix, and one last segment.
type route struct {
	pattern, prefix, name string
	handler               http.Handler
}

// New serves patterns such as "GET /o/{token}" by the lane, and all else by rest,
// whose handler has to answer the same patterns in the same way; it takes rest over.
func New(rest *http.Server, lane map[string]http.Handler) *Server {
	s := &Server{rest: rest, lane: map[net.Conn]struct{}{}}
	s.context, s.cancel = context.WithCancel(context.WithValue(context.Background(), http.ServerContextKey, rest))
	rest.Handler = s.back(rest.Handler)
	for pattern, handler := range lane {
		path, get := strings.CutPrefix(pattern, "GET ")
		prefix, name, segment := strings.Cut(path, "{")
		name, last := strings.CutSuffix(name, "}")
		if !get || !segment || !last || strings.ContainsAny(name, "{}.$/") || !strings.HasPrefix(prefix, "/") || !strings.HasSuffix(prefix, "/") {
			panic("fastlane: not GET, a prefix and one segment: " + pattern)
		}
		s.routes = append(s.routes, route{pattern: pattern, prefix: prefix, name: name, handler: handler})
	}
	return s
}

// Serve answers on ln until Shutdown or Close; it returns as http.Server.Serve does.
func (s *Server) Serve(ln net.Listener) error {
	l := &listener{Listener: ln, passed: make(chan accepted), closed: make(chan struct{})}
	go s.accept(l)
	return s.rest.Serve(l)
}

// accept takes connections into the lane. An error goes to the http.Server,
// which knows how long to wait after it.
func (s *Server) accept(l *listener) {
	for {
		c, err := l.Listener.Accept()
		_, secure := c.(interface{ ConnectionState() tls.ConnectionState })
		switch {
		case err != nil || secure:
			if !l.pass(accepted{c, err}) {
				return
			}
		case s.enter(c):
			go s.serve(c, l, nil, nil, nil)
		default:
			_ = c.Close()
		}
	}
}

// enter says whether there is still a lane.
func (s *Server) enter(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		return false
	}
	s.lane[c] = struct{}{}
	s.running.Add(1)
	return true
}

func (s *Server) leave(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.lane, c)
	s.running.Done()
}

// Shutdown closes connections that wait for a request, and returns once the
// others are answered, or ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop(func(c net.Conn) { _ = c.SetReadDeadline(time.Unix(1, 0)) }) // what is being answered does not read
	err := s.rest.Shutdown(ctx)
	done := make(chan struct{})
	go func() { s.running.Wait(); close(done) }()
	select {
	case <-done:
		return err
	case <-ctx.Done():
		return cmp.Or(err, ctx.Err())
	}
}

// Close closes all connections, whatever is under way.
func (s *Server) Close() error {
	s.cancel()
	s.stop(func(c net.Conn) { _ = c.Close() })
	return s.rest.Close()
}

func (s *Server) stop(each func(net.Conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping.Store(true)
	for c := range s.lane {
		each(c)
	}
}
