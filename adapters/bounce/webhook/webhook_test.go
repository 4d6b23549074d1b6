package webhook

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/bounce"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// recorder takes reports, or fails.
type recorder struct {
	reports []bounce.Report
	fail    error
	log     bytes.Buffer
}

func (r *recorder) options() Options {
	return Options{
		Handle: func(_ context.Context, report bounce.Report) error {
			if r.fail == nil {
				r.reports = append(r.reports, report)
			}
			return r.fail
		},
		Logger: slog.New(slog.NewTextHandler(&r.log, nil)),
		Now:    func() time.Time { return now },
	}
}

// plain is what tests look at of a report, in the clear.
type plain struct {
	ID                       string
	Kind                     bounce.Kind
	Status, Feedback         string
	MessageID, Path          string
	Recipient, Says, Machine string
}

func (r *recorder) plain() (all []plain) {
	for _, report := range r.reports {
		p := plain{ID: report.ID, Kind: report.Kind, Status: report.Status, Feedback: report.Feedback, MessageID: report.MessageID, Machine: report.Reporter}
		p.Recipient, _ = report.Recipient.Reveal()
		p.Says, _ = report.Diagnostic.Reveal()
		if len(report.Paths) > 0 {
			p.Path, _ = report.Paths[0].Reveal()
		}
		all = append(all, p)
	}
	return all
}

func (r *recorder) is(t *testing.T, want ...plain) {
	t.Helper()
	if diff := cmp.Diff(want, r.plain()); diff != "" {
		t.Error(diff)
	}
}

// post sends a request and returns the answer's status.
func post(h http.Handler, body string, header ...string) int {
	req := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Code
}

func (r *recorder) refuses(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want || len(r.reports) != 0 {
		t.Errorf("%s: %d, want %d; %d reports", what, got, want, len(r.reports))
	}
	if log := r.log.String(); strings.Contains(log, "@") || strings.Contains(log, "recipient") {
		t.Errorf("%s: the log says %s", what, log)
	}
	r.log.Reset()
}

// Only POST is taken, and only so much of it.
func TestRequests(t *testing.T) {
	var r recorder
	h, err := Postmark(r.options(), "hook", password)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/hook", nil))
	r.refuses(t, "GET", w.Code, http.StatusMethodNotAllowed)
	r.refuses(t, "too large", post(h, strings.Repeat(" ", maxBody+1), "Authorization", authorization), http.StatusRequestEntityTooLarge)
	r.refuses(t, "no JSON", post(h, "{", "Authorization", authorization), http.StatusBadRequest)
}

// What was not recorded is asked for again.
func TestNotRecorded(t *testing.T) {
	r := recorder{fail: errors.New("the disk is full")}
	h, err := Postmark(r.options(), "hook", password)
	if err != nil {
		t.Fatal(err)
	}
	r.refuses(t, "disk full", post(h, hardBounce, "Authorization", authorization), http.StatusServiceUnavailable)
	r.fail = nil
	if got := post(h, hardBounce, "Authorization", authorization); got != http.StatusOK || len(r.reports) != 1 {
		t.Error(got, len(r.reports))
	}
}
