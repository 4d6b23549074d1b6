package intake

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// busy is said instead of a greeting (RFC 5321, section 4.2.3).
const busy = "421 4.7.0 too many connections, try later\r\n"

// listener turns clients away that are too many, in all or from one host, and
// ends sessions that last too long.
type listener struct {
	net.Listener
	options Options
	mu      sync.Mutex
	all     int
	hosts   map[netip.Prefix]int
}

func limit(l net.Listener, o Options) *listener {
	return &listener{Listener: l, options: o, hosts: map[netip.Prefix]int{}}
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host := hostOf(conn.RemoteAddr())
		if l.enter(host) {
			end := time.Now().Add(l.options.Session)
			return &held{Conn: conn, end: end, leave: sync.OnceFunc(func() { l.exit(host) })}, nil
		}
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = conn.Write([]byte(busy))
		_ = conn.Close()
	}
}

// hostOf is an IPv4 address, or the network that an IPv6 host picks its own
// addresses from (RFC 4291, section 2.5.4).
func hostOf(a net.Addr) netip.Prefix {
	at, _ := netip.ParseAddrPort(a.String())
	ip := at.Addr().Unmap()
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	host, _ := ip.Prefix(bits)
	return host
}

func (l *listener) enter(host netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= l.options.Connections || l.hosts[host] >= l.options.PerHost {
		return false
	}
	l.all++
	l.hosts[host]++
	return true
}

func (l *listener) exit(host netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.hosts[host]--; l.hosts[host] == 0 {
		delete(l.hosts, host)
	}
}

// held is a connection that is counted, and whose deadlines are never later
// than the end of its session.
type held struct {
	net.Conn
	end   time.Time
	leave func()
}

func (c *held) Close() error {
	c.leave()
	return c.Conn.Close()
}

func (c *held) SetDeadline(t time.Time) error      { return c.Conn.SetDeadline(c.cap(t)) }
func (c *held) SetReadDeadline(t time.Time) error  { return c.Conn.SetReadDeadline(c.cap(t)) }
func (c *held) SetWriteDeadline(t time.Time) error { return c.Conn.SetWriteDeadline(c.cap(t)) }

func (c *held) cap(t time.Time) time.Time {
	if t.IsZero() || t.After(c.end) {
		return c.end
	}
	return t
}
