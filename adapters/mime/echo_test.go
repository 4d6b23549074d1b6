package mime

import (
	"strings"
	"testing"
	"time"
)

// The Message-ID is repeated under a header of its own when that is asked for.
func TestEcho(t *testing.T) {
	for echo, want := range map[string]bool{"": false, "X-Echo": true} {
		l, err := NewLayout(Common{From: Address{Email: "news@example.org"}, Echo: echo, Text: []string{"hello"}})
		if err != nil {
			t.Fatal(err)
		}
		w, err := l.Begin(nil, Own{To: Address{Email: "ann@example.org"}, Date: time.Unix(0, 0), MessageID: "a.b-c@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(w.out), "\r\nX-Echo: a.b-c\r\n"); got != want {
			t.Errorf("%q: %q", echo, w.out)
		}
	}
}
