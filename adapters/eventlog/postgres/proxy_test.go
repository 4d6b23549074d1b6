package postgres_test

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/domain/event"
)

// proxy is a network between a log and its server. It breaks a connection
// instead of carrying what it is looking for, as often as cuts says.
type proxy struct {
	url        string
	server     string
	ask, reply string // what it looks for, in what is sent and in what is answered; "": nothing
	cuts       atomic.Int32
}

func newProxy(t *testing.T, target, ask, reply string) *proxy {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{server: u.Host, ask: ask, reply: reply}
	u.Host = l.Addr().String()
	p.url = u.String()
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go p.carry(client)
		}
	}()
	return p
}

func (p *proxy) carry(client net.Conn) {
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		_ = client.Close()
		return
	}
	var once sync.WaitGroup
	once.Go(func() { p.pipe(server, client, p.ask) })
	once.Go(func() { p.pipe(client, server, p.reply) })
	once.Wait()
}

func (p *proxy) pipe(to, from net.Conn, look string) {
	defer func() { _, _ = to.Close(), from.Close() }()
	b := make([]byte, 1<<20)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		if look != "" && strings.Contains(string(b[:n]), look) && p.cuts.Add(-1) >= 0 {
			return
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// Whatever step of an append breaks, done or not, it is written once, and its
// answer is what it would have been.
func TestAnAppendThatBreaksIsWrittenOnce(t *testing.T) {
	for name, cut := range map[string]struct{ ask, reply string }{
		"the lock, not taken":         {ask: "name of the stream"},
		"the lock, taken":             {reply: "BEGIN\x00"},
		"the rows, not sent":          {ask: "COPY events"},
		"the commit, done but unsaid": {reply: "COMMIT\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, pgtest.Database(t), cut.ask, cut.reply)
			log := open(t, p.url)
			length := uint64(0)
			for round := range 20 {
				cuts := int32(round % 3)
				p.cuts.Store(cuts)
				events := logtest.Events(fmt.Sprint(round), 1+round)
				result, err := log.Append(t.Context(), eventlog.Append{Stream: "name of the stream", Expect: length, Events: events})
				if length += uint64(len(events)); err != nil || result != (eventlog.Result{Position: event.Position(length), Revision: length}) {
					t.Fatalf("append to %d: %v, %v", length, result, err)
				}
				if cuts > 0 && p.cuts.Load() == cuts {
					t.Fatal("nothing was cut")
				}
			}
			newWatcher(t).until(t.Context(), log, 10, event.Position(length))
		})
	}
}
