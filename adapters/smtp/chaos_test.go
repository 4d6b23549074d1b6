package smtp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/domain/delivery"
)

// Whatever a server does, and whenever callers lose patience, what we say of
// each message is true to how often the server has it.
func TestChaos(t *testing.T) {
	seeds := 200
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { chaos(t, rand.New(rand.NewPCG(uint64(seed), 1))) })
		})
	}
}

func chaos(t *testing.T, random *rand.Rand) {
	hello, dice := able, make(chan int, 1) // one at a time
	dice <- 0
	roll := func(n int) int {
		defer func(n int) { dice <- n }(<-dice)
		return random.IntN(n)
	}
	switch roll(8) {
	case 0, 1:
		hello = polite
	case 2, 3, 4, 5:
		hello = capable
	}
	odds := 10 << roll(5)
	p, s := piped(t, fmt.Sprintf("?connections=%d&messages=%d", 1+roll(4), roll(3)*7), func(q question) string {
		time.Sleep(time.Duration(roll(50)) * time.Millisecond)
		if roll(odds) > 0 || q.command == "content" {
			return hello(q.command)
		}
		return faultTable[roll(len(faultTable))].does
	})
	const messages = 60
	replies := make([]delivery.Reply, messages)
	next, callers := make(chan int), make(chan bool)
	for range 8 {
		go func() {
			for i := range next {
				ctx, cancel := context.WithCancel(t.Context())
				if roll(10) == 0 {
					time.AfterFunc(time.Duration(roll(1000))*time.Millisecond, cancel)
				}
				msg := []byte(body)
				replies[i] = p.Send(ctx, fmt.Sprintf("m%d@example.org", i), to, msg)
				clear(msg)
				cancel()
				if roll(20) == 0 {
					time.Sleep(distrusted)
				}
			}
			callers <- true
		}()
	}
	for i := range messages {
		next <- i
	}
	close(next)
	for range 8 {
		<-callers
	}
	_ = p.Close()
	time.Sleep(time.Hour) // the server ends what it began
	for i, r := range replies {
		agree(t, fmt.Sprint("m", i), r, s.completeOf(fmt.Sprint("m", i)))
	}
}

// What a server says is bounded, valid or refused, and the same however it is cut.
func FuzzReadReply(f *testing.F) {
	for _, fault := range faultTable {
		f.Add([]byte(fault.does + "\r\n"))
	}
	f.Add([]byte("250-2.1.5 a\r\n250-2.1.5 b\r\n250\r\n354 next\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		whole := bufio.NewReaderSize(bytes.NewReader(raw), maxLine)
		parts := bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader(raw)), maxLine)
		for {
			a, errA := readReply(whole, nil)
			b, errB := readReply(parts, nil)
			if a.code != b.code || !bytes.Equal(a.text, b.text) || errA != errB { //nolint:errorlint // the very same
				t.Fatalf("whole: %d %q %v, in parts: %d %q %v", a.code, a.text, errA, b.code, b.text, errB)
			}
			if len(a.text) > maxReply+maxLine {
				t.Fatalf("kept %d octets", len(a.text))
			}
			if errA != nil {
				return
			}
			r := a.outcome()
			if a.code < 200 || a.code > 599 || len(r.Text) > 2*delivery.MaxReply || len(r.Enhanced) > 11 {
				t.Fatalf("%+v", r)
			}
		}
	})
}

// spoken is a connection that says what it was told to.
type spoken struct {
	net.Conn
	io.Reader
}

func (s spoken) Read(b []byte) (int, error)      { return s.Reader.Read(b) }
func (s spoken) SetReadDeadline(time.Time) error { return nil }

// Whatever a server answers to a message that it has whole, it is taken if the
// replies to it say so, refused only if one does, and not sent only if the
// server does not know the first chunk for one.
func FuzzVerdict(f *testing.F) {
	const fine = "250 2.1.0 fine\r\n"
	for _, fault := range faultTable {
		for i := range 4 {
			f.Add([]byte(strings.Repeat(fine, i)+fault.does+"\r\n"+strings.Repeat(fine, 3-i)), i%2 == 0)
		}
	}
	f.Add([]byte("550 no\r\n503 no\r\n503 no\r\n"+fine), true)
	f.Add([]byte(fine+fine+"502 what\r\n500 what\r\n"), false)
	f.Add([]byte(fine+fine+"502 what\r\n500 what\r\n"), true)
	f.Add([]byte(fine+fine+fine), false)
	f.Fuzz(func(t *testing.T, raw []byte, chunks bool) {
		c := &conn{config: &Config{Timeout: time.Second, DataTimeout: time.Second}, chunks: chunks}
		c.raw = spoken{Reader: bytes.NewReader(raw)}
		c.wire, c.in = c.raw, bufio.NewReaderSize(c, maxLine)
		reply, err := c.verdict()

		var codes []int
		words := bufio.NewReaderSize(bytes.NewReader(raw), maxLine)
		var end error
		for len(codes) < 4 && end == nil {
			var s said
			if s, end = readReply(words, nil); end == nil {
				codes = append(codes, s.code)
			}
		}
		good := func(n int) bool {
			return len(codes) >= n && !slices.ContainsFunc(codes[:n], func(code int) bool { return code/100 != 2 })
		}
		taken := good(4) || good(3) && (errors.Is(end, errLost) || len(codes) == 4 && codes[3] == closing)
		switch said := slices.Contains(codes, reply.Code); {
		case (reply.Outcome == delivery.Taken) != taken, good(4) && err != nil:
		case reply.Outcome == delivery.NotNow && (!said || reply.Code/100 != 4):
		case reply.Outcome == delivery.Never && (!said || reply.Code/100 != 5):
		case reply.Outcome == delivery.NotSent && (chunks || !good(2) || codes[2]/10 != 50):
		case (reply.Outcome == delivery.Unclear || reply.Outcome == delivery.NotSent) && err == nil:
		case err == nil && (len(codes) < 4 || codes[3]/100 != 2):
		case err == nil && !taken && codes[2]/100 == 2: // refused, and taken
		default:
			return
		}
		t.Fatalf("%v: %+v, %v", codes, reply, err)
	})
}
