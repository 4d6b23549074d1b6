package sink

import (
	"fmt"
	"net/smtp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	ours "github.com/cleversender/cleversender/adapters/smtp"
	"github.com/cleversender/cleversender/domain/delivery"
)

func listen(t *testing.T, o Options) *Sink {
	t.Helper()
	s, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// contents are messages whose dots and ends are where they hurt.
var contents = []string{
	"x\r\n", "\r\n", ".\r\n", "..\r\n.\r\n.x\r\n", "a\r\n\r\n.\r\n", "x\r\n.y\r\n..z\r\n",
	strings.Repeat(strings.Repeat("long ", 14)+"\r\n", 9000), // more than is read at once
	strings.Repeat(".\r\n", 50_000),
}

// A client that is not ours is understood, and what it meant is what the hook gets.
func TestAnotherClient(t *testing.T) {
	var got []string
	s := listen(t, Options{OnMessage: func(from, to string, data []byte) {
		got = append(got, from+" "+to+" "+string(data))
	}})
	var want []string
	for _, content := range contents {
		to := []string{"b@example.org", "c@example.org"}
		if err := smtp.SendMail(strings.TrimPrefix(s.URL(), "smtp://"), nil, "a@example.org", to, []byte(content)); err != nil {
			t.Fatal(err)
		}
		want = append(want, "a@example.org b@example.org "+content, "a@example.org c@example.org "+content)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if s.Count() != len(want)/2 {
		t.Errorf("counted %d", s.Count())
	}
}

// Our pool, pipelining or not, to a server quick or slow, hands over what it was given, each message once.
func TestOurPool(t *testing.T) {
	for _, o := range []Options{{}, {NoPipelining: true}, {Delay: time.Millisecond}} {
		var mu sync.Mutex
		got := map[string]string{}
		o.OnMessage = func(_, to string, data []byte) {
			mu.Lock()
			defer mu.Unlock()
			got[to] += string(data)
		}
		s := listen(t, o)
		config, err := ours.Parse(s.URL() + "?connections=3")
		if err != nil {
			t.Fatal(err)
		}
		p := ours.Open(config)
		want := map[string]string{}
		var callers sync.WaitGroup
		for i := range 10 * len(contents) {
			to, content := fmt.Sprintf("reader%d@example.org", i), contents[i%len(contents)]
			want[to] = content
			callers.Go(func() {
				if r := p.Send(t.Context(), "a@example.org", to, []byte(content)); r.Outcome != delivery.Taken {
					t.Errorf("%+v", r)
				}
			})
		}
		callers.Wait()
		_ = p.Close()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// Without a hook the size is counted to the octet, however it was cut in pieces.
func TestCounts(t *testing.T) {
	s := listen(t, Options{})
	config, _ := ours.Parse(s.URL())
	p := ours.Open(config)
	var size int64
	for _, content := range contents {
		p.Send(t.Context(), "a@example.org", "b@example.org", []byte(content))
		size += int64(len(content) + strings.Count("\n"+content, "\n."))
	}
	_ = p.Close()
	if s.Count() != len(contents) || s.Bytes() != size {
		t.Errorf("%d messages of %d octets, want %d of %d", s.Count(), s.Bytes(), len(contents), size)
	}
}

// Told to, it refuses; what it refuses is not counted, and a 421 ends the session.
func TestAnswer(t *testing.T) {
	n := 0 // asked
	s := listen(t, Options{
		Answer: func(string, string) int { n++; return []int{250, 451, 550, 421, 250}[n-1] },
	})
	config, _ := ours.Parse(s.URL())
	p := ours.Open(config)
	defer func() { _ = p.Close() }()
	for i, want := range []int{250, 451, 550, 250} { // the one after the 421 goes over a fresh connection
		if r := p.Send(t.Context(), "a@example.org", "b@example.org", []byte("x\r\n")); r.Code != want {
			t.Errorf("message %d: %+v", i, r)
		}
	}
	if s.Count() != 2 {
		t.Errorf("counted %d", s.Count())
	}
}

// Commands out of order, and lines that never end, are refused.
func TestNonsense(t *testing.T) {
	s := listen(t, Options{})
	for _, c := range []struct{ said, want string }{
		{"DATA", "503"}, {"RCPT TO:<a@b>", "503"}, {"MAIL FROM:a@b", "501"}, {"WHAT", "502"}, {"QUIT", "221"},
		{strings.Repeat("x", 9000), "500"},
	} {
		text, err := smtp.Dial(strings.TrimPrefix(s.URL(), "smtp://"))
		if err != nil {
			t.Fatal(err)
		}
		if err := text.Text.PrintfLine("%s", c.said); err != nil {
			t.Fatal(err)
		}
		if line, _ := text.Text.ReadLine(); !strings.HasPrefix(line, c.want) {
			t.Errorf("%.20s: %s", c.said, line)
		}
		_ = text.Close()
	}
}
