package fastlane

import (
	"bytes"
	"cmp"
	"context"
	"log"
	"net"
	"net/http"
	"runtime"
	"time"
)

// room is how long a head in the lane may be.
const room = 4 << 10

// conn is a connection in the lane.
type conn struct {
	net.Conn
	server   *Server
	base     *http.Request // what is the same in each request
	deadline time.Time     // of reading, zero: none
	out      bytes.Buffer  // an answer
}

// serve answers requests until one comes that is not the lane's.
func (s *Server) serve(nc net.Conn, l *listener) {
	remote := nc.RemoteAddr().String()
	ctx, cancel := context.WithCancel(context.WithValue(s.context, http.LocalAddrContextKey, nc.LocalAddr()))
	c := &conn{Conn: nc, server: s, base: (&http.Request{
		Method: http.MethodGet, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody, RemoteAddr: remote,
	}).WithContext(ctx)}
	var rest []byte
	defer func() {
		cancel()
		if fault := recover(); fault != nil && fault != http.ErrAbortHandler {
			stack := make([]byte, 64<<10)
			s.logf("http: panic serving %v: %v\n%s", remote, fault, stack[:runtime.Stack(stack, false)])
		}
		if rest == nil {
			_ = nc.Close()
		} else {
			l.handOver(nc, rest)
		}
		s.leave(nc)
	}()
	rest = c.loop(make([]byte, room))
}

// loop returns what it read of a request that is not the lane's; nil when the
// connection is to be closed.
func (c *conn) loop(buf []byte) (rest []byte) {
	http := c.server.rest
	limit, least := cmp.Or(http.ReadHeaderTimeout, http.ReadTimeout), 1
	for kept := 0; ; kept = copy(buf, rest) {
		c.waitFor(limit)
		if c.server.stopping.Load() { // looked at after the deadline is set: Shutdown's comes later
			return nil
		}
		n, _ := c.Read(buf[kept:])
		if n == 0 {
			return nil
		}
		for rest = buf[:kept+n]; len(rest) >= least; {
			r, to, size := c.server.parse(rest, c.base)
			if r == nil {
				return rest
			}
			rest = rest[size:]
			if !c.answer(r, to) {
				return nil
			}
			limit, least = cmp.Or(http.IdleTimeout, http.ReadTimeout), 4 // net/http, too, calls a connection idle until then
		}
	}
}

// waitFor lets the next read take at least d, and an eighth more at most: a deadline
// that still does is kept, as setting one costs a timer.
func (c *conn) waitFor(d time.Duration) {
	if d <= 0 {
		if !c.deadline.IsZero() {
			c.deadline = time.Time{}
			_ = c.SetReadDeadline(c.deadline)
		}
		return
	}
	if now := time.Now(); c.deadline.Sub(now) < d {
		c.deadline = now.Add(d + d/8)
		_ = c.SetReadDeadline(c.deadline)
	}
}

// answer is false when the connection is to be closed.
func (c *conn) answer(r *http.Request, to http.Handler) bool {
	c.out.Reset()
	w := &response{header: http.Header{}, out: &c.out}
	to.ServeHTTP(w, r)
	w.last = w.last || c.server.stopping.Load()
	w.end()
	_, err := c.Write(c.out.Bytes())
	return err == nil && !w.last
}

func (s *Server) logf(format string, args ...any) {
	if s.rest.ErrorLog != nil {
		s.rest.ErrorLog.Printf(format, args...)
	} else {
		log.Printf(format, args...)
	}
}
