package smtp

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/smtp/sink"
	"github.com/cleversender/cleversender/domain/delivery"
)

// TestMain is the sink, in a process of its own so that its time is not ours.
func TestMain(m *testing.M) {
	if os.Getenv("SMTP_SINK") == "" {
		os.Exit(m.Run())
	}
	s, err := sink.Listen(sink.Options{})
	if err != nil {
		os.Exit(1)
	}
	fmt.Println(s.URL())
	_, _ = io.Copy(io.Discard, os.Stdin) // until the benchmark ends
	fmt.Println(s.Count(), cpu().Microseconds())
}

func startSink(b *testing.B) (url string, stop func() (count, micros int)) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "SMTP_SINK=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewReader(out)
	url, err = lines.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(url), func() (count, micros int) {
		_ = in.Close()
		if _, err := fmt.Fscan(lines, &count, &micros); err != nil {
			b.Error(err)
		}
		_ = cmd.Wait()
		return count, micros
	}
}

var letter = []byte(strings.Repeat(strings.Repeat("x", 74)+"\r\n", 80))

// Sixteen callers over four connections, into a sink that is another process.
func BenchmarkSend(b *testing.B) {
	for _, callers := range []int{8, 16} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			url, stop := startSink(b)
			config, _ := Parse(url + "?connections=4")
			p := Open(config)
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ReportAllocs()
			began := cpu()
			b.ResetTimer()
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if r := p.Send(b.Context(), from, to, letter); r.Outcome != delivery.Taken {
							b.Error(r)
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			report(b, cpu()-began, stop)
			_ = p.Close()
		})
	}
}

// The limit: a client that does nothing but pipeline a constant content.
func BenchmarkBare(b *testing.B) {
	url, stop := startSink(b)
	envelope := []byte("MAIL FROM:<" + from + ">\r\nRCPT TO:<" + to + ">\r\nDATA\r\n")
	both := append(append(bytes.Clone(letter), ".\r\n"...), envelope...)
	var left atomic.Int64
	left.Store(int64(b.N))
	began := cpu()
	b.ResetTimer()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			c, err := net.Dial("tcp", strings.TrimPrefix(url, "smtp://"))
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = c.Close() }()
			r := bufio.NewReader(c)
			replies := func(n int) {
				for range n {
					_, _ = r.ReadSlice('\n')
				}
			}
			replies(1)
			_, _ = c.Write([]byte("HELO x\r\n"))
			replies(1)
			_, _ = c.Write(envelope)
			replies(3)
			for left.Add(-1) >= 0 {
				_, _ = c.Write(both)
				replies(4)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	report(b, cpu()-began, stop)
}

func report(b *testing.B, ours time.Duration, stop func() (count, micros int)) {
	b.Helper()
	count, theirs := stop()
	if count != b.N {
		b.Errorf("%d of %d arrived", count, b.N)
	}
	b.ReportMetric(float64(ours.Microseconds())/float64(b.N), "client-us/op")
	b.ReportMetric(float64(theirs)/float64(b.N), "sink-us/op")
}

// cpu is what this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
