package fastlane

import "net/http"

// back answers by rest, but for a request of the lane's on a connection that
// was handed over: that one comes back. net/http has read the request, so that
// it knows where the next one begins.
func (s *Server) back(rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := s.comesBack(r)
		if to == nil {
			rest.ServeHTTP(w, r)
			return
		}
		c, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			rest.ServeHTTP(w, r)
			return
		}
		b := c.(*begun)
		next, _ := buffered.Reader.Peek(buffered.Reader.Buffered())
		next = append(next[:len(next):len(next)], b.read...)
		if !s.enter(b.Conn) {
			_ = c.Close()
			return
		}
		go s.serve(b.Conn, b.from, r, to, next)
	})
}

// comesBack is the route of a request that the lane could have answered; nil: there
// is none. Whatever has TLS has never been in the lane, see accept.
func (s *Server) comesBack(r *http.Request) *route {
	to, segment := s.route(r.RequestURI)
	if to == nil || !plain(segment) || r.Method != http.MethodGet || r.Proto != "HTTP/1.1" ||
		r.Body != http.NoBody || // net/http takes Transfer-Encoding out of the header
		r.TLS != nil || s.stopping.Load() {
		return nil
	}
	for name, values := range r.Header {
		for _, value := range values {
			if !ordinary(name, value) {
				return nil
			}
		}
	}
	return to
}
