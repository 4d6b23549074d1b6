package smtp

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
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
	if roll(4) == 0 {
		hello = polite
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
