// Package generate makes contact lists of people who do not exist.
//
// The same options give the same bytes. Every address is under a domain that
// RFC 2606 and RFC 6761 keep free: example.org, .net and .com, .example and .test.
package generate

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
)

// Options says what the list is like. A zero value is a list without faults.
type Options struct {
	Seed       uint64
	Rows       int // lines after the header, faulty ones included
	Duplicates int // one in so many rows is an earlier person again; 0: none
	Bad        int // one in so many rows has a fault, each kind in turn; 0: none
	First      int // the number of the first person: lists that do not overlap count on
}

// Header is the first line.
const Header = "email,first name,last name,city,company,plan,consented_at\n"

// Write writes the list as CSV: UTF-8, commas.
func Write(w io.Writer, opt Options) error {
	out := bufio.NewWriterSize(w, 64<<10)
	_, _ = out.WriteString(Header)
	g := generator{rand.New(rand.NewPCG(opt.Seed, 0x636f6e74616374)), opt, 0, make([]byte, 0, 512)}
	for i := range opt.Rows {
		if _, err := out.Write(g.row(i)); err != nil {
			return fmt.Errorf("write a contact list: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write a contact list: %w", err)
	}
	return nil
}

type generator struct {
	rand  *rand.Rand
	opt   Options
	fault int // of the next bad row
	buf   []byte
}

// row makes line i; the slice is good until the next call.
func (g *generator) row(i int) []byte {
	g.buf = g.buf[:0]
	if n := g.opt.Bad; n > 0 && i%n == n-1 {
		g.buf = append(g.buf, faults[g.fault%len(faults)]...)
		g.fault++
		return g.buf
	}
	if n := g.opt.Duplicates; n > 0 && i%n == n-1 && i >= n {
		i -= 1 + g.rand.IntN(n-1)
	}
	return g.person(g.opt.First + i)
}

// person is always the same for the same number and seed.
func (g *generator) person(n int) []byte {
	r := rand.New(rand.NewPCG(g.opt.Seed, uint64(n)))
	s := &scripts[pick(r, weights)]
	first, last := r.IntN(len(s.first)), r.IntN(len(s.last))
	domain := domains[r.IntN(len(domains))]
	if r.IntN(12) == 0 {
		domain = s.domain
	}
	b := g.buf
	b = append(append(append(b, s.firstASCII[first]...), '.'), s.lastASCII[last]...)
	b = strconv.AppendInt(b, int64(n), 36)
	b = append(append(append(b, '@'), domain...), ',')
	b = append(append(b, s.first[first]...), ',')
	b = append(append(b, s.last[last]...), ',')
	b = append(append(b, s.cities[r.IntN(len(s.cities))]...), ',')
	b = append(append(b, companies[r.IntN(len(companies))]...), ',')
	b = append(append(b, plans[r.IntN(len(plans))]...), ',')
	b = fmt.Appendf(b, "20%02d-%02d-%02dT%02d:%02d:%02dZ\n", 19+r.IntN(6), 1+r.IntN(12), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60))
	g.buf = b
	return b
}

// pick returns an index by weight.
func pick(r *rand.Rand, weights []int) int {
	total := 0
	for _, w := range weights {
		total += w
	}
	n := r.IntN(total)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return 0
}
