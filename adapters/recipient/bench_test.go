package recipient_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/recipient"
	"github.com/cleversender/cleversender/adapters/tracking"
)

// BenchmarkHit is an open from its route to a log that keeps nothing, by as many
// readers as there are connections in `bench track`.
func BenchmarkHit(b *testing.B) {
	w := newWorld(b)
	w.log.fail = func(_ func() ([]eventlog.Result, []error), n int) ([]eventlog.Result, []error) {
		return make([]eventlog.Result, n), make([]error, n)
	}
	hit, path := w.handler.Hits()["GET /o/{token}"], w.token(tracking.Open)+recipient.PixelSuffix
	b.SetParallelism(16)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/o/"+path, nil)
		r.RemoteAddr = "198.51.100.7:4711"
		r.SetPathValue("token", path)
		r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0")
		rw := &discard{header: http.Header{}}
		for pb.Next() {
			clear(rw.header)
			hit.ServeHTTP(rw, r)
		}
	})
}
