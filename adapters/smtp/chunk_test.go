package smtp

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/domain/delivery"
)

// A yes too many anywhere in a burst shifts the replies behind it: what the
// server refused is not taken for it, and nothing goes out twice.
func TestBurstAnsweredTooMuch(t *testing.T) {
	senders, steps := []string{"a", "b", "c"}, []string{"MAIL", "RCPT", "BDAT", "RSET"}
	for _, surplus := range []string{"250 2.0.0 fine", "354 go on"} {
		for i := range 12 {
			for j := range 10 { // what is refused; the last time nothing
				after, refused := question{sender: senders[i/4], command: steps[i%4]}, question{}
				if j < 9 {
					refused = question{sender: senders[j/3], command: steps[j%3]}
				}
				synctest.Test(t, func(t *testing.T) { tooMuch(t, surplus, after, refused) })
			}
		}
	}
}

func tooMuch(t *testing.T, surplus string, after, refused question) {
	release := make(chan struct{})
	no := false
	p, s := piped(t, "?connections=1", func(q question) (answer string) {
		<-release
		switch {
		case q.connection > 1:
			return capable(q.command)
		case q.command == "RSET" || q.sender == "":
			no = false
		case q.sender == refused.sender && q.command == refused.command:
			no = true
		}
		if answer = capable(q.command); no {
			answer = "552 5.2.2 full"
		}
		if q.sender == after.sender && q.command == after.command {
			answer += "\r\n" + surplus
		}
		return answer
	})
	replies := behind(t.Context(), p, release, "a", "b", "c")
	replies["after"] = <-sendAs(t.Context(), p, "after")
	_ = p.Close()
	for sender, r := range replies {
		agree(t, sender, r, s.completeOf(sender))
		if good := refused.sender == "" && surplus[0] == '2' || sender == "after"; good && r.Outcome != delivery.Taken {
			t.Errorf("%s: %+v", sender, r)
		}
	}
	if t.Failed() {
		t.Fatalf("%s behind %s of %s, refused: %s of %s", surplus, after.command, after.sender, refused.command, refused.sender)
	}
}

// A server that offers chunks and does not know them gets all messages by DATA,
// and is not asked again for a while.
func TestChunksRefused(t *testing.T) {
	for _, code := range []string{"500", "501", "502", "503", "504"} {
		for _, lines := range []int{0, 1, 40} { // of the content, taken for commands
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				p, s := piped(t, "?connections=1", func(q question) string {
					if <-release; q.command == "BDAT" {
						return code + " 5.5.1 what" + strings.Repeat("\r\n500 5.5.1 what", lines)
					}
					return capable(q.command)
				})
				for sender, r := range behind(t.Context(), p, release, "a", "b", "c") {
					if r.Outcome != delivery.Taken || s.completeOf(sender) != 1 {
						t.Errorf("%s %d: %s: %+v, %d times", code, lines, sender, r, s.completeOf(sender))
					}
				}
				_ = p.Close()
				if s.times("BDAT") != 1 || s.connections.Load() != 2 {
					t.Errorf("%s %d: %d chunks, %d connections", code, lines, s.times("BDAT"), s.connections.Load())
				}
			})
		}
	}
}

// A chunk is the message as it is, in lines (RFC 3030, section 3, is for binary
// ones): no dot doubled, the last line ended, each octet counted.
func TestChunk(t *testing.T) {
	takes := offers{size: true, eightBit: true}
	for _, c := range []struct{ content, parameters, want string }{
		{"", "", "BDAT 0 LAST\r\n"},
		{".\r\n..\r\n", "", "BDAT 7 LAST\r\n.\r\n..\r\n"},
		{"RSET\r\n.x", "", "BDAT 10 LAST\r\nRSET\r\n.x\r\n"},
		{"gr\u00fcn\r\n", " BODY=8BITMIME", "BDAT 7 LAST\r\ngr\u00fcn\r\n"},
	} {
		e, _ := envelopeOf(from, to)
		e.size, e.eightBit = len(c.content), !sevenBit([]byte(c.content))
		r := request{envelope: e, msg: []byte(c.content)}
		want := fmt.Sprintf("MAIL FROM:<%s> SIZE=%d%s\r\nRCPT TO:<%s>\r\n%s", from, len(c.content), c.parameters, to, c.want)
		if diff := cmp.Diff(want, string(r.whole(nil, takes))); diff != "" {
			t.Error(diff)
		}
	}
}
