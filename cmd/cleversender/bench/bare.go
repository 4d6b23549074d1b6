package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// A bare client sends one constant message again and again, and does nothing
// else: what the wire allows.
type bareJob struct {
	Addr                  string
	Connections, Messages int
	Size                  int // of a message, in bytes
}

type bareResult struct {
	Took, CPU time.Duration
}

func runBare(ctx context.Context, in *json.Decoder, out *json.Encoder) error {
	var job bareJob
	if err := in.Decode(&job); err != nil {
		return err
	}
	start, cpu := time.Now(), cpuTime()
	var wg sync.WaitGroup
	failed := make(chan error, job.Connections)
	for i := range job.Connections {
		n := job.Messages / job.Connections
		if i < job.Messages%job.Connections {
			n++
		}
		wg.Go(func() {
			if err := job.send(ctx, n); err != nil {
				failed <- err
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return out.Encode(bareResult{time.Since(start), cpuTime() - cpu})
	}
}

const bareEnvelope = "MAIL FROM:<news@example.org>\r\nRCPT TO:<reader@example.org>\r\nDATA\r\n"

// send sends n messages over one connection: the next envelope with the
// previous body where the server takes commands in groups (RFC 2920), else
// command by command.
func (j bareJob) send(ctx context.Context, n int) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", j.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	c := dialogue{conn, bufio.NewReaderSize(conn, 4096)}
	if _, err := c.reply('2'); err != nil {
		return err
	}
	pipelining, err := c.hello()
	if err != nil || n == 0 {
		return err
	}
	body := j.body()
	if !pipelining {
		return c.stepByStep(body, n)
	}
	last, both := body, append(bytes.Clone(body), bareEnvelope...)
	if err := c.say([]byte(bareEnvelope), "223"); err != nil {
		return err
	}
	for range n - 1 {
		if err := c.say(both, "2223"); err != nil {
			return err
		}
	}
	return c.say(last, "2")
}

// body is a message of the size asked for, and the line that ends it.
func (j bareJob) body() []byte {
	var b bytes.Buffer
	b.WriteString("Subject: constant\r\n\r\n")
	for line := strings.Repeat("x", 76) + "\r\n"; b.Len() < j.Size; {
		b.WriteString(line[max(0, len(line)-max(2, j.Size-b.Len())):])
	}
	b.WriteString(".\r\n")
	return b.Bytes()
}

// dialogue is one connection's.
type dialogue struct {
	net.Conn
	in *bufio.Reader
}

// say writes, and reads a reply of each kind: '2' for 2yz.
func (d dialogue) say(data []byte, kinds string) error {
	if _, err := d.Write(data); err != nil {
		return err
	}
	for i := range len(kinds) {
		if _, err := d.reply(kinds[i]); err != nil {
			return err
		}
	}
	return nil
}

// reply reads one reply, of any number of lines (RFC 5321, section 4.2.1).
func (d dialogue) reply(kind byte) (text string, err error) {
	for {
		line, err := d.in.ReadSlice('\n')
		if err != nil {
			return "", err
		}
		if len(line) < 4 || line[0] != kind {
			return "", fmt.Errorf("the mail server says %.3q, not %cyz", line, kind)
		}
		if line[3] != '-' {
			return text + string(line), nil
		}
		text += string(line)
	}
}

func (d dialogue) hello() (pipelining bool, err error) {
	if _, err := d.Write([]byte("EHLO bench.invalid\r\n")); err != nil {
		return false, err
	}
	text, err := d.reply('2')
	return strings.Contains(strings.ToUpper(text), "PIPELINING"), err
}

func (d dialogue) stepByStep(body []byte, n int) error {
	for range n {
		for _, command := range strings.SplitAfter(strings.TrimSuffix(bareEnvelope, "DATA\r\n"), "\n") {
			if command == "" {
				continue
			}
			if err := d.say([]byte(command), "2"); err != nil {
				return err
			}
		}
		if err := d.say([]byte("DATA\r\n"), "3"); err != nil {
			return err
		}
		if err := d.say(body, "2"); err != nil {
			return err
		}
	}
	return nil
}
