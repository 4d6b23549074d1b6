package sqlite

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkStore prints what the hot paths cost at a million people:
// go test -run - -bench Store -benchtime 1x
func BenchmarkStore(b *testing.B) {
	ctx, dir := context.Background(), b.TempDir()
	uri := "file://" + dir + "/root.key"
	if err := keyring.CreateRootKey(uri); err != nil {
		b.Fatal(err)
	}
	s, err := Open(ctx, dir+"/keys.db", uri)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	const total, batch = 1_000_000, 5000
	account := domain.ID{1}
	subjects := make([]domain.ID, 0, total)
	var reserve, ensure, lookup, wall time.Duration
	for at := 0; at < total; at += batch {
		addresses := make([]string, batch)
		for i := range addresses {
			addresses[i] = fmt.Sprintf("person.number%d@mail%d.example", at+i, i%1000)
		}
		start, began := cpu(), time.Now()
		rs, err := s.Reserve(ctx, account, addresses)
		if err != nil {
			b.Fatal(err)
		}
		reserve += cpu() - start
		refs := make([]personal.KeyRef, batch)
		for i, r := range rs {
			refs[i] = personal.KeyRef{Subject: r.Person, Class: personal.Identity}
			subjects = append(subjects, r.Person)
		}
		start = cpu()
		if _, err := s.Ensure(ctx, refs); err != nil {
			b.Fatal(err)
		}
		ensure += cpu() - start
		wall += time.Since(began)
	}
	start := cpu()
	for at := 0; at < total; at += 500 {
		refs := make([]personal.KeyRef, 500)
		for i := range refs {
			refs[i] = personal.KeyRef{Subject: subjects[at+i], Class: personal.Identity}
		}
		if _, err := s.Lookup(ctx, refs); err != nil {
			b.Fatal(err)
		}
	}
	lookup = cpu() - start
	began := time.Now()
	if _, err := s.Shred(ctx, subjects[total/2]); err != nil {
		b.Fatal(err)
	}
	if err := s.Purge(ctx); err != nil {
		b.Fatal(err)
	}
	first := time.Since(began)
	began = time.Now()
	for i := range 20 {
		a := fmt.Sprintf("person.number%d@mail%d.example", i*5000, 0)
		if err := s.Forget(ctx, account, a, subjects[i*5000], true); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Shred(ctx, subjects[i*5000]); err != nil {
			b.Fatal(err)
		}
		if err := s.Purge(ctx); err != nil {
			b.Fatal(err)
		}
	}
	erase := time.Since(began) / 20
	began = time.Now()
	if _, err := s.NewEpoch(ctx); err != nil {
		b.Fatal(err)
	}
	epoch := time.Since(began)
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	info, _ := os.Stat(dir + "/keys.db")
	b.Logf("reserve %.2f us CPU, ensure %.2f us CPU, both %.2f us wall, lookup %.2f us CPU, first shred+purge %v, erase %v, new epoch %v, peak %d MB, file %d MB",
		us(reserve, total), us(ensure, total), us(wall, total), us(lookup, total), first, erase, epoch, u.Maxrss/1024, info.Size()>>20)
}

func us(d time.Duration, n int) float64 { return float64(d.Nanoseconds()) / 1000 / float64(n) }
