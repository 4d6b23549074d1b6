package fastlane_test

import (
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/cleversender/cleversender/adapters/fastlane"
)

// hit is what a mail client asks.
const hit = "GET /o/AQEBnJ0uVfdz0I9BwPS8k1d0AAAAAwGcnS5V93PQj0HA9LyTV3QBnJ0uVfdz0I9BwPS8k1d0u8sVYvKj4nq2Zk3hQG1sZQ.gif HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0\r\n" +
	"Accept: image/avif,image/webp,*/*\r\nAccept-Language: en-GB,en;q=0.5\r\nAccept-Encoding: gzip\r\n\r\n"

var picture = make([]byte, 43)

func pixel(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h["Cache-Control"], h["Referrer-Policy"], h["X-Robots-Tag"] = []string{"no-store"}, []string{"no-referrer"}, []string{"noindex, nofollow"}
	h["X-Content-Type-Options"], h["Content-Type"] = []string{"nosniff"}, []string{"image/gif"}
	_, _ = w.Write(picture)
}

// BenchmarkLane is a hit without a network, so that what is counted is the lane's.
func BenchmarkLane(b *testing.B) {
	ln := newMemory()
	s := fastlane.New(&http.Server{Handler: http.NotFoundHandler()}, map[string]http.Handler{open: http.HandlerFunc(pixel)})
	go func() { _ = s.Serve(ln) }()
	b.Cleanup(func() { _ = s.Close() })
	c := &repeated{script: script{closed: make(chan struct{})}, left: b.N}
	b.ReportAllocs()
	b.ResetTimer()
	ln.conns <- c
	<-c.closed
}

// repeated is a client that asks the same again, once it has its answer.
type repeated struct {
	script
	left int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left--; r.left < 0 {
		return 0, io.EOF
	}
	return copy(p, hit), nil
}

func (r *repeated) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkLoopback is a hit, and its client, on a connection of the system's.
func BenchmarkLoopback(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := fastlane.New(&http.Server{Handler: http.NotFoundHandler()}, map[string]http.Handler{open: http.HandlerFunc(pixel)})
	go func() { _ = s.Serve(ln) }()
	b.Cleanup(func() { _ = s.Close() })
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	room := make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.WriteString(c, hit); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Read(room); err != nil { // an answer is one write, and so one read here
			b.Fatal(err)
		}
	}
}
