package relay_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/adapters/relay"
	"github.com/cleversender/cleversender/domain/delivery"
)

var (
	taken   = delivery.Reply{Outcome: delivery.Taken, Code: 250}
	silence = delivery.Reply{Outcome: delivery.NotSent}
)

// post is a mail server that answers as it is told, and counts.
type post struct {
	mu    sync.Mutex
	asked int
	reply delivery.Reply
	takes time.Duration
}

func (p *post) send(ctx context.Context, _, _ string, _ []byte) delivery.Reply {
	p.mu.Lock()
	p.asked++
	reply, takes := p.reply, p.takes
	p.mu.Unlock()
	select {
	case <-time.After(takes):
		return reply
	case <-ctx.Done():
		return silence
	}
}

func (p *post) says(r delivery.Reply) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reply, p.asked = r, 0
}

func (p *post) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// open makes a relay of servers called a, b and so on, as change has them.
func open(t *testing.T, n int, change func(i int, s *relay.Server)) (*relay.Relay, []*post) {
	posts := make([]*post, n)
	servers := make([]relay.Server, n)
	for i := range n {
		posts[i] = &post{reply: taken}
		servers[i] = relay.Server{Name: string(rune('a' + i)), Send: posts[i].send}
		if change != nil {
			change(i, &servers[i])
		}
	}
	r, err := relay.New(servers)
	if err != nil {
		t.Fatal(err)
	}
	return r, posts
}

func letter() relay.Letter {
	return relay.Letter{Author: "news@example.org", From: "b@bounce.example", To: "x@y.example"}
}

// A message goes to the server that it names, or to one that takes its author's mail.
func TestWho(t *testing.T) {
	r, _ := open(t, 4, func(i int, s *relay.Server) {
		s.From = [][]string{{"Example.org"}, {"*.example.org"}, {"boss@shop.example", "bücher.example"}, {"shop.example"}}[i]
		s.Priority = i
	})
	for _, c := range []struct{ author, name, server string }{
		{"news@example.org", "", "a"},
		{"News@EXAMPLE.org", "", "a"},
		{"news@mail.example.org", "", "b"},
		{"boss@shop.example", "", "c"},
		{"team@shop.example", "", "d"},
		{"team@xn--bcher-kva.example", "", "c"},
		{"boss@shop.example", "d", "d"},
		{"news@example.org", "d", ""},
		{"news@badexample.org", "", ""},
		{"news@example.org", "z", ""},
	} {
		l := letter()
		l.Author, l.Server = c.author, c.name
		reply := r.Send(t.Context(), l)
		if reply.Server != c.server || (c.server == "") != (reply.Outcome == delivery.NotSent) {
			t.Errorf("%s, %q: %+v, want it by %q", c.author, c.name, reply, c.server)
		}
		if err := r.Check(c.author, c.name); (err == nil) != (c.server != "") {
			t.Errorf("%s, %q: %v", c.author, c.name, err)
		}
	}
	if err := r.Check("news@example.org", "z"); err != relay.ErrUnknown {
		t.Error(err)
	}
	l := letter() // without an author, the envelope says who it is from
	l.Author, l.From = "", "bounce@shop.example"
	if reply := r.Send(t.Context(), l); reply.Server != "d" {
		t.Errorf("%+v, want it by d", reply)
	}
}

// The only server needs no name in its answers; two cannot share one.
func TestNames(t *testing.T) {
	r, _ := open(t, 1, func(_ int, s *relay.Server) { s.Only = true })
	if reply := r.Send(t.Context(), letter()); reply != taken {
		t.Errorf("%+v", reply)
	}
	for n := range 3 {
		if _, err := relay.New(make([]relay.Server, n)); (err == nil) != (n == 1) {
			t.Errorf("%d servers without a name: %v", n, err)
		}
	}
}

// Equals share the load by their connections; a lower priority waits until all
// above it are silent.
func TestShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, posts := open(t, 3, func(i int, s *relay.Server) {
			s.Connections, s.Priority = []int{10, 30, 100}[i], i/2
		})
		for _, p := range posts {
			p.takes = time.Second
		}
		var sends sync.WaitGroup
		for range 40 {
			sends.Go(func() { r.Send(context.Background(), letter()) })
			synctest.Wait()
		}
		sends.Wait()
		if a, b, c := posts[0].count(), posts[1].count(), posts[2].count(); a != 10 || b != 30 || c != 0 {
			t.Errorf("%d, %d and %d messages, want 10, 30 and none", a, b, c)
		}
	})
}

// When a server does not answer, the next one gets the message; an answer is
// final, and so is not knowing.
func TestFailover(t *testing.T) {
	for _, c := range []struct {
		first  delivery.Reply
		server string
	}{
		{silence, "b"},
		{taken, "a"},
		{delivery.Reply{Outcome: delivery.NotNow, Code: 421}, "a"},
		{delivery.Reply{Outcome: delivery.Never, Code: 550}, "a"},
		{delivery.Reply{Outcome: delivery.Unclear}, "a"},
	} {
		r, posts := open(t, 2, func(i int, s *relay.Server) { s.Priority = i })
		posts[0].says(c.first)
		if reply := r.Send(t.Context(), letter()); reply.Server != c.server || posts[1].count() != strings.Count(c.server, "b") {
			t.Errorf("%+v: answered by %q, want %q; b asked %d times", c.first, reply.Server, c.server, posts[1].count())
		}
	}
	r, posts := open(t, 2, nil)
	posts[0].says(silence)
	posts[1].says(silence)
	if reply := r.Send(t.Context(), letter()); reply.Outcome != delivery.NotSent || posts[0].count() != 1 || posts[1].count() != 1 {
		t.Errorf("%+v after %d and %d, want each asked once", reply, posts[0].count(), posts[1].count())
	}
}

// A server that is silent rests, ever longer; then one message finds out.
func TestRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, posts := open(t, 2, func(i int, s *relay.Server) { s.Priority = i })
		posts[0].says(silence)
		send := func(n int) (asked int) {
			before := posts[0].count()
			for range n {
				if reply := r.Send(t.Context(), letter()); reply.Server != "b" && posts[0].reply == silence {
					t.Fatalf("%+v, want it by b", reply)
				}
			}
			return posts[0].count() - before
		}
		if n := send(10); n != 3 {
			t.Errorf("asked %d times before it rests, want 3", n)
		}
		for _, rest := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
			time.Sleep(rest*time.Second - time.Millisecond)
			if n := send(3); n != 0 {
				t.Errorf("asked %d times while it rests", n)
			}
			time.Sleep(time.Millisecond)
			if n := send(3); n != 1 {
				t.Errorf("asked %d times after %v s, want once", n, int(rest))
			}
		}
		time.Sleep(time.Minute)
		posts[0].takes = time.Second / 2
		before := posts[0].count()
		var sends sync.WaitGroup
		for range 5 {
			sends.Go(func() { r.Send(t.Context(), letter()) })
		}
		sends.Wait()
		if n := posts[0].count() - before; n != 1 {
			t.Errorf("asked %d times while one finds out, want once", n)
		}
		posts[0].says(taken)
		time.Sleep(time.Minute)
		if n := send(5); n != 5 {
			t.Errorf("asked %d times of 5 when it is back", n)
		}
	})
}

// When all rest they are asked all the same: somebody has to find out.
func TestAllRest(t *testing.T) {
	r, posts := open(t, 2, func(i int, s *relay.Server) { s.Priority = i })
	for _, p := range posts {
		p.says(silence)
	}
	for range 5 {
		r.Send(t.Context(), letter())
	}
	posts[1].says(taken)
	if reply := r.Send(t.Context(), letter()); reply.Server != "b" {
		t.Errorf("%+v, want it by b, which is back", reply)
	}
}

// Breaking off says nothing about a server.
func TestBreakOff(t *testing.T) {
	r, posts := open(t, 2, func(i int, s *relay.Server) { s.Priority = i })
	posts[0].takes = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 9 {
		if reply := r.Send(ctx, letter()); reply.Outcome != delivery.NotSent {
			t.Fatalf("%+v", reply)
		}
	}
	posts[0].takes = 0
	if reply := r.Send(t.Context(), letter()); reply.Server != "a" || posts[1].count() != 0 {
		t.Errorf("%+v, want it by a", reply)
	}
}

// A server's rate holds whether places are taken ahead or not, and a place that
// nobody used is free again.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, posts := open(t, 1, func(_ int, s *relay.Server) { s.Rate = 10 })
		author := letter().Author
		ahead := 0
		for range 20 {
			if _, ok := r.Admit(author, "", time.Now()); ok {
				ahead++
			}
		}
		again, ok := r.Admit(author, "", time.Now())
		if n, open := r.Open(author, "", time.Now()); ok || ahead != 10 || time.Until(again) != 100*time.Millisecond || n != 0 || !open.Equal(again) {
			t.Fatalf("%d places, %v, again at %v and %v: want 10, and one in 100ms", ahead, ok, again, open)
		}
		r.GiveBack(author, "")
		if n, _ := r.Open(author, "", time.Now()); n != 1 {
			t.Errorf("open for %d when one was given back", n)
		}
		began := time.Now()
		for i, want := range []time.Duration{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200} {
			r.Send(t.Context(), letter())
			if waited := time.Since(began); waited.Round(time.Millisecond) != want*time.Millisecond {
				t.Fatalf("message %d after %v, want %v", i, waited, want*time.Millisecond)
			}
		}
		if n := posts[0].count(); n != 12 {
			t.Errorf("%d messages", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if reply := r.Send(ctx, letter()); reply.Outcome != delivery.NotSent || posts[0].count() != 12 {
			t.Errorf("%+v, want that it waits in vain", reply)
		}
		time.Sleep(90 * time.Millisecond)
		if n, _ := r.Open(author, "", time.Now()); n != 1 {
			t.Errorf("open for %d: what waited in vain was counted", n)
		}
	})
}

// What one server's rate does not allow, its equal takes; one below it does not.
func TestRatesOfEquals(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		priority, want int
	}{{0, 13}, {1, 3}} {
		r, _ := open(t, 2, func(i int, s *relay.Server) { s.Rate, s.Priority = []float64{3, 10}[i], c.priority*i })
		if n, _ := r.Open("news@example.org", "", now); n != c.want {
			t.Errorf("open for %d, want %d", n, c.want)
		}
		if n, _ := r.Open("news@example.org", "a", now); n != 3 {
			t.Errorf("a is open for %d, want 3", n)
		}
		n := 0
		for range 20 {
			if _, ok := r.Admit("news@example.org", "", now); ok {
				n++
			}
		}
		if n != c.want {
			t.Errorf("%d admitted, want %d", n, c.want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		r, posts := open(t, 2, func(i int, s *relay.Server) { s.Rate = []float64{3, 10}[i] })
		began := time.Now()
		for range 13 {
			r.Send(t.Context(), letter())
		}
		if a, b := posts[0].count(), posts[1].count(); a != 3 || b != 10 || time.Since(began) > 0 {
			t.Errorf("%d and %d messages after %v, want 3 and 10 at once", a, b, time.Since(began))
		}
	})
	r, _ := open(t, 2, func(i int, s *relay.Server) { s.Rate = float64(3 * i) })
	if n, _ := r.Open("news@example.org", "", now); n < 1e6 {
		t.Errorf("open for %d where one has no rate", n)
	}
	if again, ok := r.Admit("news@example.org", "z", now); ok || !again.After(now) {
		t.Error("admitted to a server that is not there")
	}
}

// What servers do shows in metrics, by their names.
func TestMetrics(t *testing.T) {
	r, posts := open(t, 2, func(i int, s *relay.Server) {
		s.Priority, s.Connected = i, func() int { return 7 }
	})
	posts[0].says(silence)
	for range 4 {
		r.Send(t.Context(), letter())
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(r)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			name := f.GetName()
			for _, l := range m.Label {
				name += " " + l.GetValue()
			}
			got[strings.TrimPrefix(name, "cleversender_server_")] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	for name, want := range map[string]float64{
		"messages_total not_reached a": 3, "messages_total accepted b": 4, "resting a": 1, "resting b": 0, "connections b": 7,
		"messages_in_flight a": 0, "held_total a": 0,
	} {
		if n, found := got[name]; !found || n != want {
			t.Errorf("%s is %v (%v), want %v", name, n, found, want)
		}
	}
}

// BenchmarkSend is what a message pays for the choice.
func BenchmarkSend(b *testing.B) {
	for _, n := range []int{1, 3} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			servers := make([]relay.Server, n)
			for i := range servers {
				servers[i] = relay.Server{Name: fmt.Sprint(i), Send: func(context.Context, string, string, []byte) delivery.Reply { return taken }}
			}
			r, err := relay.New(servers)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				r.Send(b.Context(), letter())
			}
		})
	}
}
