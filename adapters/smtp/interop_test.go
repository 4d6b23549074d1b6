package smtp

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	gosmtp "github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/smtp/catcher"
	"github.com/cleversender/cleversender/domain/delivery"
)

// A server that is not ours takes what leaves together as it was, and each
// message has its own answer.
func TestBurstsToAnotherServer(t *testing.T) {
	const messages = 200
	refused := func(to string) bool { return strings.HasPrefix(to, "no") }
	c := catch(t, catcher.Options{Keep: messages, Answer: func(_ string, to []string) error {
		if refused(to[0]) {
			return &gosmtp.SMTPError{Code: 552, EnhancedCode: gosmtp.EnhancedCode{5, 2, 2}, Message: "full"}
		}
		return nil
	}})
	p := open(t, c.URL()+"?connections=2&messages=90")
	contents := []string{body, ".\r\n", "..\r\n.\r\n.x\r\n", "BDAT 1 LAST\r\nRSET\r\n", strings.Repeat(strings.Repeat("long ", 14)+"\r\n", 600), "gr\u00fc\u00df\r\n", "no line end"}
	want := map[string]string{}
	var callers sync.WaitGroup
	for i := range messages {
		to, content := fmt.Sprintf("reader%d@example.org", i), contents[i%len(contents)]
		switch {
		case i%7 == 0:
			to = "no" + to
		case i%11 == 0: // refused by itself, before its content
			to = fmt.Sprintf("reader%d:@example.org", i)
		default:
			want[to] = strings.TrimSuffix(content, "\r\n") + "\r\n"
		}
		taken := want[to] != ""
		callers.Go(func() {
			r := p.Send(t.Context(), from, to, []byte(content))
			if taken != (r.Outcome == delivery.Taken) || !taken && r.Outcome != delivery.Never || refused(to) != (r.Code == 552) {
				t.Errorf("%s: %+v", to, r)
			}
		})
	}
	callers.Wait()
	got := map[string]string{}
	for _, m := range c.Messages(0, messages) {
		got[m.To[0]] += string(m.Data)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
