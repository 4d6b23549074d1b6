package keyringtest

import (
	"errors"
	"fmt"
	"sync"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain"
)

var account = domain.ID{1}

var directory = []promise{
	{"an address has one person an account", func(f *fixture) {
		first := f.reserve(f.s, account, "ann@example.com", "bob@example.com", "ann@example.com")
		if first[0].Known || first[1].Known || !first[2].Known || first[0].Person != first[2].Person || first[0].Person == first[1].Person {
			f.Errorf("got %+v", first)
		}
		if !less(first[0].Person, first[1].Person) {
			f.Error("ids do not grow in the order of the addresses")
		}
		other := f.reserve(f.s, domain.ID{2}, "ann@example.com")
		if other[0].Known || other[0].Person == first[0].Person {
			f.Error("two accounts share a person")
		}
		f.restart()
		again := f.reserve(f.s, account, "bob@example.com")
		if !again[0].Known || again[0].Person != first[1].Person {
			f.Error("a person is another after a restart")
		}
		if _, found, err := f.s.Find(f.ctx, account, "eve@example.com"); found || err != nil {
			f.Errorf("found somebody who is not there, or %v", err)
		}
		if none := f.reserve(f.s, account); len(none) != 0 {
			f.Errorf("of no address: %v", none)
		}
	}},
	{"everybody is found again among many", among},
	{"moving to an address that is taken or suppressed is refused", func(f *fixture) {
		rs := f.reserve(f.s, account, "ann@example.com", "bob@example.com", "gone@example.com")
		ann, gone := rs[0].Person, rs[2].Person
		f.must(f.s.Forget(f.ctx, account, "gone@example.com", gone, true))
		if err := f.s.Move(f.ctx, account, "ann@example.com", "bob@example.com", ann); !errors.Is(err, keyring.ErrAddressTaken) {
			f.Errorf("taken: %v", err)
		}
		if err := f.s.Move(f.ctx, account, "ann@example.com", "gone@example.com", ann); !errors.Is(err, keyring.ErrAddressSuppressed) {
			f.Errorf("suppressed: %v", err)
		}
		if p, found, _ := f.s.Find(f.ctx, account, "ann@example.com"); !found || p != ann {
			f.Error("a refused move moved")
		}
	}},
	{"an address that is somebody else's by now is left alone", func(f *fixture) {
		first := f.reserve(f.s, account, "ann@example.com")[0].Person
		for range 2 {
			f.must(f.s.Move(f.ctx, account, "ann@example.com", "ann@example.org", first))
		}
		second := f.reserve(f.s, account, "ann@example.com")[0].Person
		f.must(f.s.Move(f.ctx, account, "ann@example.com", "ann@example.org", first))
		f.must(f.s.Forget(f.ctx, account, "ann@example.com", first, true))
		if p, found, _ := f.s.Find(f.ctx, account, "ann@example.com"); !found || p != second {
			f.Error("the second owner lost the address")
		}
		if yes, _ := f.s.Suppressed(f.ctx, account, "ann@example.com"); yes {
			f.Error("the second owner's address is suppressed")
		}
	}},
	{"the directory does what a simple one does", simple},
}

func names(from, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("p%d@example.com", from+i)
	}
	return out
}

func among(f *fixture) {
	const batches, each = 8, 1000
	got := make([][]keyring.Reservation, batches)
	var all sync.WaitGroup
	for i := range batches {
		all.Go(func() { got[i], _ = f.s.Reserve(f.ctx, account, names(i*each, each)) })
	}
	all.Wait()
	for range 2 {
		seen := map[domain.ID]bool{}
		for i := range batches {
			for k, r := range f.reserve(f.s, account, names(i*each, each)...) {
				if !r.Known || r.Person != got[i][k].Person || seen[r.Person] {
					f.Fatalf("batch %d, address %d: %+v, was %+v", i, k, r, got[i][k])
				}
				seen[r.Person] = true
			}
			if p, found, err := f.s.Find(f.ctx, account, names(i*each, each)[7]); err != nil || !found || p != got[i][7].Person {
				f.Fatalf("batch %d: found %v, %v", i, found, err)
			}
		}
		f.restart()
	}
}

func simple(f *fixture) {
	addresses := []string{"a@example.com", "b@example.com", "c@example.com"}
	rapid.Check(f, func(r *rapid.T) {
		account := NewID()
		held, gone := map[string]domain.ID{}, map[string]bool{}
		one := rapid.SampledFrom(addresses)
		r.Repeat(map[string]func(*rapid.T){
			"reserve": func(r *rapid.T) {
				which := rapid.SliceOfN(one, 1, 4).Draw(r, "addresses")
				got, err := f.s.Reserve(f.ctx, account, which)
				if err != nil {
					r.Fatal(err)
				}
				for i, a := range which {
					p, known := held[a]
					want := keyring.Reservation{Person: p, Known: known, Suppressed: !known && gone[a]}
					if !known && !gone[a] {
						want.Person = got[i].Person
						held[a] = want.Person
					}
					if got[i] != want || want.Person.IsZero() != want.Suppressed {
						r.Fatalf("%s: %+v, want %+v", a, got[i], want)
					}
				}
			},
			"move": func(r *rapid.T) {
				from, to := one.Draw(r, "from"), one.Draw(r, "to")
				p, ok := held[from]
				if !ok {
					return
				}
				holder, taken := held[to]
				err := f.s.Move(f.ctx, account, from, to, p)
				switch {
				case taken && holder != p:
					if !errors.Is(err, keyring.ErrAddressTaken) {
						r.Fatal(err)
					}
				case !taken && gone[to]:
					if !errors.Is(err, keyring.ErrAddressSuppressed) {
						r.Fatal(err)
					}
				case err != nil:
					r.Fatal(err)
				default:
					delete(held, from)
					held[to] = p
				}
			},
			"forget": func(r *rapid.T) {
				a, suppress := one.Draw(r, "address"), rapid.Bool().Draw(r, "suppress")
				if err := f.s.Forget(f.ctx, account, a, held[a], suppress); err != nil {
					r.Fatal(err)
				}
				delete(held, a)
				gone[a] = gone[a] || suppress
			},
			"unsuppress": func(r *rapid.T) {
				a := one.Draw(r, "address")
				if err := f.s.Unsuppress(f.ctx, account, a); err != nil {
					r.Fatal(err)
				}
				delete(gone, a)
			},
			"": func(r *rapid.T) {
				for _, a := range addresses {
					p, found, err := f.s.Find(f.ctx, account, a)
					if want, ok := held[a]; err != nil || found != ok || p != want {
						r.Fatalf("%s: found %v %v, %v", a, found, p, err)
					}
					if yes, err := f.s.Suppressed(f.ctx, account, a); err != nil || yes != gone[a] {
						r.Fatalf("%s: suppressed %v, %v", a, yes, err)
					}
				}
			},
		})
	})
}
