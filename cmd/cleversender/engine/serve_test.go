package engine_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cleversender/cleversender/cmd/cleversender/engine"
)

// A hit is counted by its route whether it comes by the lane or by net/http, and
// a connection is good for whatever is asked next.
func TestHitsAreCountedAlike(t *testing.T) {
	o := engine.Options{Dir: filepath.Join(t.TempDir(), "data")}
	if _, _, err := engine.Init(t.Context(), o, "Acme"); err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- e.Serve(ctx, ln, engine.Web{}) }()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	ask := func(path string) string {
		t.Helper()
		r, err := client.Get("http://" + ln.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	for _, path := range []string{"/o/forged.gif", "/o/forged.gif?by=net/http", "/c/forged"} {
		ask(path)
	}
	said := ask("/metrics")
	for _, want := range []string{
		`cleversender_http_request_seconds_count{method="GET",route="GET /o/{token}",status="2xx"} 2`,
		`cleversender_http_request_seconds_count{method="GET",route="GET /c/{token}",status="4xx"} 1`,
		`cleversender_tracking_hits_total{kind="open",result="forged"} 2`,
	} {
		if !strings.Contains(said, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
