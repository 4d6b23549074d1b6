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

// Our pool, in bursts, pipelining or neither, to a server quick or slow, hands over what it was given, each message once.
func TestOurPool(t *testing.T) {
	for _, o := range []Options{{}, {NoChunking: true}, {NoPipelining: true}, {Delay: time.Millisecond}} {
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
	s := listen(t, Options{NoChunking: true})
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

// A message may come in several chunks, and empty ones; a chunk of no message is
// discarded, whatever it holds, and content of both kinds is no message (RFC 3030).
func TestChunks(t *testing.T) {
	var got []string
	s := listen(t, Options{OnMessage: func(_, _ string, data []byte) { got = append(got, string(data)) }})
	c, err := smtp.Dial(strings.TrimPrefix(s.URL(), "smtp://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	envelope := "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n"
	for _, step := range []struct{ said, want string }{
		{"BDAT 11 LAST\r\nMAIL\r\nRSET\n", "503"},
		{envelope + "BDAT 3\r\n.\r\nBDAT 0\r\nBDAT 8 last\r\n.\r\n..\r\n\n", "250 250 250 250 250"},
		{envelope + "BDAT 0 LAST\r\nRSET\r\n", "250 250 250 250"},
		{envelope + "BDAT 2\r\nx\nDATA\r\nRSET\r\n", "250 250 250 503 250"},
		{envelope + "BDAT 100000 LAST\r\n" + strings.Repeat("0123456789", 10_000), "250 250 250"},
		{envelope + "BDAT -1 LAST\r\n", "250 250 501"},
	} {
		if _, err := c.Text.W.WriteString(step.said); err != nil {
			t.Fatal(err)
		}
		_ = c.Text.W.Flush()
		for want := range strings.SplitSeq(step.want, " ") {
			if line, err := c.Text.ReadLine(); !strings.HasPrefix(line, want) {
				t.Fatalf("%.40q: %q, %v, want %s", step.said, line, err, want)
			}
		}
	}
	if diff := cmp.Diff([]string{".\r\n.\r\n..\r\n\n", "", strings.Repeat("0123456789", 10_000)}, got); diff != "" || s.Count() != 3 || s.Bytes() != 100_011 {
		t.Errorf("%d messages of %d octets: %s", s.Count(), s.Bytes(), diff)
	}
}
