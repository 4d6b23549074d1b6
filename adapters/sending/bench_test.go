package sending_test

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/keyring"
	keysqlite "github.com/cleversender/cleversender/adapters/keyring/sqlite"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/domain/delivery"
)

// BenchmarkCampaign sends campaigns from a log on disk, with keys and four
// projections that keep up, to a server that costs nothing.
func BenchmarkCampaign(b *testing.B) {
	const people = 20_000
	for b.Loop() {
		b.StopTimer()
		folder := b.TempDir()
		uri := "file://" + filepath.Join(folder, "root.key")
		if err := keyring.CreateRootKey(uri); err != nil {
			b.Fatal(err)
		}
		keys, err := keysqlite.Open(b.Context(), filepath.Join(folder, "keys.db"), uri)
		if err != nil {
			b.Fatal(err)
		}
		h := openHouse(b, folder, keys)
		account, mailing := h.fill(b, people)
		if at, err := h.journal.Head(b.Context()); err != nil || h.all(b.Context(), at) != nil {
			b.Fatal(err)
		}
		sink := &sink{took: map[string]int{}}
		b.StartTimer()
		began, used := time.Now(), cpu(b)
		_, stop := run(b, sending.Options{Journal: h.journal, Audience: h.view, Composer: composer{}, Transport: sink})
		is := h.over(b, account, mailing)
		b.ReportMetric(people/time.Since(began).Seconds(), "messages/s")
		b.ReportMetric(float64((cpu(b)-used).Microseconds())/people, "cpu-us/message")
		b.StopTimer()
		stop()
		if is.Result.Sent != people {
			b.Errorf("finished with %+v, want all sent", is.Result)
		}
		h.close()
		if err := keys.Close(); err != nil {
			b.Error(err)
		}
		b.StartTimer()
	}
}

// cpu is what this process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkEvolve is what one event costs the state of a segment of 1,000.
func BenchmarkEvolve(b *testing.B) {
	people := make(delivery.Subjects, 1000)
	s := delivery.Segment{}.Evolve(delivery.Planned{Subjects: people})
	for b.Loop() {
		s.Evolve(delivery.Intended{Ordinals: []int{500}})
	}
}
