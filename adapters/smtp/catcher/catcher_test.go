package catcher

import (
	"net/smtp"
	"strings"
	"testing"
)

func send(t *testing.T, c *Catcher, n int) {
	t.Helper()
	addr := strings.TrimPrefix(c.URL(), "smtp://")
	for range n {
		if err := smtp.SendMail(addr, nil, "a@example.org", []string{"b@example.org"}, []byte("Subject: x\r\n\r\nhello\r\n")); err != nil {
			t.Fatal(err)
		}
	}
}

func catch(t *testing.T, o Options) *Catcher {
	t.Helper()
	c, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// The mailbox holds the last messages, the newest first, and counts them all.
func TestKeepsTheLast(t *testing.T) {
	seen := 0
	c := catch(t, Options{Keep: 3, OnMessage: func(Message) { seen++ }})
	send(t, c, 5)
	var numbers []int
	for _, m := range c.Messages(0, 10) {
		numbers = append(numbers, m.Number)
	}
	if len(numbers) != 3 || numbers[0] != 5 || numbers[2] != 3 || c.Count() != 5 || seen != 5 {
		t.Errorf("%v of %d, %d seen", numbers, c.Count(), seen)
	}
	if older := c.Messages(4, 10); len(older) != 1 || older[0].Number != 3 {
		t.Errorf("older than 4: %v", older)
	}
	if _, kept := c.Message(2); kept {
		t.Error("message 2 is still there")
	}
	if m, kept := c.Message(4); !kept || m.Number != 4 || !strings.Contains(string(m.Data), "hello") {
		t.Errorf("message 4: %+v", m)
	}
}

// A sink counts and keeps nothing.
func TestSink(t *testing.T) {
	c := catch(t, Options{})
	send(t, c, 2)
	if c.Count() != 2 || c.Bytes() == 0 || len(c.Messages(0, 9)) != 0 {
		t.Errorf("count %d, bytes %d", c.Count(), c.Bytes())
	}
	if _, kept := c.Message(1); kept {
		t.Error("kept a message")
	}
}

// A message that is too large is refused.
func TestTooLarge(t *testing.T) {
	c := catch(t, Options{Keep: 3, MaxBytes: 1000})
	addr := strings.TrimPrefix(c.URL(), "smtp://")
	if err := smtp.SendMail(addr, nil, "a@example.org", []string{"b@example.org"}, []byte(strings.Repeat("x\r\n", 1000))); err == nil {
		t.Error("taken")
	}
	if c.Count() != 0 {
		t.Error("counted")
	}
}
