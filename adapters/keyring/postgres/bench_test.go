package postgres

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/keyring/keyringtest"
	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/domain"
)

// BenchmarkStore prints what an import, a campaign and erasures ask of a
// keyring of 200,000 people, on a server that syncs:
// go test -run - -bench Store -benchtime 1x
func BenchmarkStore(b *testing.B) {
	ctx := context.Background()
	cluster, err := pgtest.Start(ctx, "fsync=on")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = cluster.Stop() }()
	s, err := Open(ctx, cluster.URL("postgres"), keyringtest.NewRoot(b))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	const total, batch, erased = 200_000, 5000, 50
	account := domain.ID{1}
	address := func(i int) string { return fmt.Sprintf("person.number%d@mail%d.example", i, i%1000) }
	subjects := make([]domain.ID, 0, total)
	var reserve, ensure time.Duration
	for at := 0; at < total; at += batch {
		addresses, people := make([]string, batch), make([]domain.ID, batch)
		for i := range addresses {
			addresses[i] = address(at + i)
		}
		reserve += took(b, func() error {
			rs, err := s.Reserve(ctx, account, addresses)
			for i, r := range rs {
				people[i] = r.Person
			}
			return err
		})
		ensure += took(b, func() error { _, err := s.Ensure(ctx, keyringtest.Identity(people...)); return err })
		subjects = append(subjects, people...)
	}
	again := took(b, func() error { _, err := s.Ensure(ctx, keyringtest.Identity(subjects[0])); return err })
	lookup := took(b, func() error {
		for at := 0; at < total; at += 500 {
			if _, err := s.Lookup(ctx, keyringtest.Identity(subjects[at:at+500]...)); err != nil {
				return err
			}
		}
		return nil
	})
	erase := took(b, func() error {
		for i := range erased {
			if err := s.Forget(ctx, account, address(i*1000), subjects[i*1000], true); err != nil {
				return err
			}
			if _, err := s.Shred(ctx, subjects[i*1000]); err != nil {
				return err
			}
			if err := s.Purge(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	epoch := took(b, func() error { _, err := s.NewEpoch(ctx); return err })
	b.Logf("reserve %v, ensure %v, lookup %v a person; ensure one that is there %v; an erasure %v; new epoch %v a person",
		reserve/total, ensure/total, lookup/total, again, erase/erased, epoch/total)
}

func took(b *testing.B, do func() error) time.Duration {
	began := time.Now()
	if err := do(); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}
