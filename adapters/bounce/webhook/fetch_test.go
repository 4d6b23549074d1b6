package webhook

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Redirects are not followed, errors are errors, and a document without end is
// cut.
func TestFetchHTTPS(t *testing.T) {
	followed := false
	mux := http.NewServeMux()
	mux.Handle("/moved", http.RedirectHandler("/inner", http.StatusFound))
	mux.HandleFunc("/inner", func(http.ResponseWriter, *http.Request) { followed = true })
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) })
	s := httptest.NewServer(mux)
	defer s.Close()
	for _, path := range []string{"/moved", "/missing"} {
		if _, err := FetchHTTPS(t.Context(), s.URL+path); err == nil || strings.Contains(err.Error(), s.URL) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if followed {
		t.Error("followed a redirect")
	}
	if text, err := FetchHTTPS(t.Context(), s.URL+"/long"); err != nil || len(text) != 64<<10 {
		t.Error(len(text), err)
	}
	s.Close()
	if _, err := FetchHTTPS(t.Context(), s.URL); err == nil || strings.Contains(err.Error(), "127.0.0.1") {
		t.Error(err)
	}
}
