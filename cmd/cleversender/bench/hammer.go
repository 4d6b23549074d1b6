package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A barrage is GETs, and the status that the answer to each has to have. It is
// small, and without pointers that a collector would follow one by one: that is
// the server's too, which runs in the same process.
type barrage struct {
	fields   string // of each, CRLF after each and after all
	paths    []byte
	requests []request
}

type request struct {
	from, to uint32 // in paths
	status   uint16
}

func (b *barrage) add(status uint16, path ...string) {
	from := len(b.paths)
	for _, part := range path {
		b.paths = append(b.paths, part...)
	}
	b.requests = append(b.requests, request{uint32(from), uint32(len(b.paths)), status})
}

// A target is one request, whole, and the status of its answer.
type target struct {
	request []byte
	status  uint16
}

// target lays a request out in room.
func (b *barrage) target(i int, room []byte) target {
	r := b.requests[i]
	room = append(append(room[:0], "GET "...), b.paths[r.from:r.to]...)
	return target{append(append(room, " HTTP/1.1\r\n"...), b.fields...), r.status}
}

// hammer sends every request once over keep-alive connections, one under way
// on each, and says how long each took. It is a bare HTTP/1.1 client, so that
// what is measured is the server: it reads of an answer the status and the
// length, and takes the body off the wire (RFC 9112, sections 4 and 6.3).
func hammer(address string, connections int, b *barrage) ([]time.Duration, error) {
	took := make([]time.Duration, len(b.requests))
	failed := make([]error, connections)
	var next atomic.Int64
	var wg sync.WaitGroup
	for c := range connections {
		wg.Go(func() {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				failed[c] = err
				return
			}
			defer conn.Close()
			raw, err := conn.(syscall.Conn).SyscallConn()
			if err != nil {
				failed[c] = err
				return
			}
			out, room := make([]byte, 0, 4096), make([]byte, 4096)
			for i := int(next.Add(1)) - 1; i < len(took); i = int(next.Add(1)) - 1 {
				start := time.Now()
				if failed[c] = exchange(conn, raw, room, b.target(i, out)); failed[c] != nil {
					return
				}
				took[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	return took, errors.Join(failed...)
}

// exchange sends a request and reads its answer, which has to fit into room. It
// reads when there is something to read: net.Conn's Read would ask the kernel once
// before, in vain.
func exchange(conn net.Conn, raw syscall.RawConn, room []byte, t target) error {
	sent, n := false, 0
	var failed error
	err := raw.Read(func(fd uintptr) (done bool) {
		if !sent {
			sent = true
			_, failed = conn.Write(t.request)
			return failed != nil
		}
		more, err := syscall.Read(int(fd), room[n:])
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return false
		case err != nil:
			failed = err
		case more == 0:
			failed = io.ErrUnexpectedEOF
		default:
			n += more
			done, failed = t.answered(room[:n])
		}
		return done || failed != nil
	})
	return errors.Join(err, failed)
}

// answered says whether the answer is whole.
func (t target) answered(answer []byte) (bool, error) {
	head, body, whole := bytes.Cut(answer, []byte("\r\n\r\n"))
	if !whole {
		return false, nil
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 "+strconv.Itoa(int(t.status))+" ")) {
		line, _, _ := bytes.Cut(head, []byte("\r\n"))
		return false, fmt.Errorf("a hit was answered %q", line)
	}
	length, err := contentLength(head)
	return err == nil && len(body) >= length, err
}

func contentLength(head []byte) (int, error) {
	_, rest, ok := bytes.Cut(head, []byte("\r\nContent-Length: "))
	if !ok {
		return 0, errors.New("an answer of no known length")
	}
	value, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return strconv.Atoi(string(value))
}
