package fastlane

import (
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
	request  *request
	response response
	deadline time.Time // of reading, zero: none
	answered bool
}

// serve answers requests until one comes that is not the lane's: first, if there
// is one, then what begins with read, then what comes.
func (s *Server) serve(nc net.Conn, l *listener, first *http.Request, to *route, read []byte) {
	remote := nc.RemoteAddr().String()
	ctx, cancel := context.WithCancel(context.WithValue(s.context, http.LocalAddrContextKey, nc.LocalAddr()))
	c := &conn{Conn: nc, server: s, request: newRequest(ctx, remote), response: response{header: http.Header{}}}
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
	if first == nil || c.answer(first.WithContext(ctx), to) {
		rest = c.loop(read)
	}
}

// loop returns what it read of a request that is not the lane's; nil when the
// connection is to be closed.
func (c *conn) loop(read []byte) (rest []byte) {
	server, buf := c.server.rest, make([]byte, room)
	for {
		limit, least := cmp.Or(server.ReadHeaderTimeout, server.ReadTimeout), 1
		if c.answered { // net/http, too, calls a connection idle until four octets are there
			limit, least = cmp.Or(server.IdleTimeout, server.ReadTimeout), 4
		}
		if len(read) >= least {
			to, size := c.server.parse(read, c.request)
			if to == nil {
				return read
			}
			if !c.answer(&c.request.Request, to) {
				return nil
			}
			read = read[size:]
			continue
		}
		kept := copy(buf, read)
		c.waitFor(limit)
		if c.server.stopping.Load() { // looked at after the deadline is set: Shutdown's comes later
			return nil
		}
		n, _ := c.Read(buf[kept:])
		if n == 0 {
			return nil
		}
		read = buf[:kept+n]
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
func (c *conn) answer(r *http.Request, to *route) bool {
	c.answered = true
	r.Pattern = to.pattern
	for i := range c.server.routes {
		r.SetPathValue(c.server.routes[i].name, "") // it may be of the request before
	}
	r.SetPathValue(to.name, r.RequestURI[len(to.prefix):])
	w := &c.response
	w.begin()
	to.handler.ServeHTTP(w, r)
	w.last = w.last || c.server.stopping.Load()
	w.end()
	_, err := c.Write(w.out.Bytes())
	return err == nil && !w.last
}

func (s *Server) logf(format string, args ...any) {
	if s.rest.ErrorLog != nil {
		s.rest.ErrorLog.Printf(format, args...)
	} else {
		log.Printf(format, args...)
	}
}
