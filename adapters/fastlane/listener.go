package fastlane

import (
	"net"
	"sync"
	"time"
)

// A listener gives the http.Server what the lane does not take.
type listener struct {
	net.Listener
	passed chan accepted
	closed chan struct{}
	once   sync.Once
}

type accepted struct {
	conn net.Conn
	err  error
}

// pass is false when nobody takes it any more.
func (l *listener) pass(a accepted) bool {
	select {
	case l.passed <- a:
		return true
	case <-l.closed:
		if a.conn != nil {
			_ = a.conn.Close()
		}
		return false
	}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case a := <-l.passed:
		return a.conn, a.err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// begun is a connection of which something has been read.
type begun struct {
	net.Conn
	from *listener
	read []byte
}

// handOver gives a connection up, with what was read of its next request.
func (l *listener) handOver(c net.Conn, read []byte) {
	_ = c.SetReadDeadline(time.Time{}) // the http.Server sets its own
	l.pass(accepted{conn: &begun{c, l, read}})
}

// Read implements net.Conn.
func (b *begun) Read(p []byte) (int, error) {
	if len(b.read) == 0 {
		return b.Conn.Read(p)
	}
	n := copy(p, b.read)
	b.read = b.read[n:]
	return n, nil
}

// CloseWrite lets net/http close one side first, so that its answer arrives.
func (b *begun) CloseWrite() error {
	if c, ok := b.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}
