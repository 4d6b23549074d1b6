package engine

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/privacyrequest"
)

// An operator sees that a worker has stopped, that the disk fills up, and that
// somebody has waited for longer than the law allows.
func TestHealth(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), "data"), Idle: true} // nobody fulfils requests
	account, _, err := Init(t.Context(), o, "Acme")
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	folding, stop := context.WithCancel(t.Context())
	defer stop()
	e.workers.Go(func() { _ = e.Models.Run(folding) })
	for _, due := range []time.Duration{-time.Hour, time.Hour, 720 * time.Hour} {
		id := NewID()
		draft := event.Draft{
			ID: NewID(), Meta: event.Meta{Account: account, Subject: domain.ID{1}},
			Data: privacyrequest.Received{Kind: privacyrequest.Access, Due: time.Now().Add(due)},
		}
		if _, err := e.Journal.Record(t.Context(), privacyrequest.Stream(id), 0, []event.Draft{draft}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := gauges(t, e)
	if got["cleversender_ready"] != 1 || got["cleversender_requests_open"] != 3 || got["cleversender_requests_overdue"] != 1 || got["cleversender_data_free_bytes"] < 1 {
		t.Errorf("%v", got)
	}
	e.work(t.Context(), "sending", func(context.Context) error { return errors.New("no more") })
	for e.Ready() == nil {
		time.Sleep(time.Millisecond)
	}
	if got := gauges(t, e); got["cleversender_ready"] != 0 {
		t.Errorf("with a worker that has stopped: %v", got)
	}
}

// gauges are the metrics without labels.
func gauges(t *testing.T, e *Engine) map[string]float64 {
	t.Helper()
	families, err := e.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		if m := f.GetMetric()[0]; len(m.GetLabel()) == 0 {
			all[f.GetName()] = m.GetGauge().GetValue()
		}
	}
	return all
}
