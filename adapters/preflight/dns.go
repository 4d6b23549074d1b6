package preflight

import (
	"context"
	"slices"
	"sync"
)

// records is what the DNS says; why it was not asked, when it was not.
type records struct {
	notAsked string
	from     state // the sender's domain
	replies  state // the domain of replies takes mail
	spf      spf   // of the domain that messages are returned to
	lookups  int   // that its SPF record costs
	policy   policy
	keys     []published
}

const (
	dnsOff    = "the DNS is not asked here"
	dnsSilent = "the DNS did not answer"
)

// lookUp asks everything at once. A resolver that does not know the root knows
// nothing: what it says is not there may well be.
func (f *facts) lookUp(ctx context.Context, r Resolver) {
	switch {
	case r == nil:
		f.dns.notAsked = dnsOff
		return
	case f.from == "":
		f.dns.notAsked = "the sender has no domain yet"
		return
	case reserved(f.from):
		f.dns.notAsked = f.from + " is a name for examples"
		return
	}
	if root, err := r.LookupNS(ctx, "."); err != nil || len(root) == 0 {
		f.dns.notAsked = dnsSilent
		return
	}
	f.dns.keys = make([]published, len(f.keys))
	var all sync.WaitGroup
	all.Go(func() { f.dns.from = exists(ctx, r, f.from) })
	all.Go(func() { f.dns.policy = findPolicy(ctx, r, f.from) })
	all.Go(func() {
		reader := spfReader{resolver: r}
		f.dns.spf = reader.record(ctx, f.envelope)
		f.dns.lookups = reader.lookups
	})
	all.Go(func() { f.dns.replies = takesMail(ctx, r, f.replies) })
	for i, k := range f.keys {
		all.Go(func() { f.dns.keys[i] = findKey(ctx, r, k) })
	}
	all.Wait()
}

// bySPF: whether a message can pass DMARC by SPF.
func (f *facts) bySPF() state {
	s, mode := f.dns.spf, f.dns.policy.spf
	switch {
	case !aligned(f.envelope, f.from, mode):
		return absent
	case s.state != present:
		return s.state
	case s.why != "" || !s.passes || f.dns.lookups > maxLookups:
		return absent
	}
	return present
}

// byDKIM: whether a message can pass DMARC by a signature.
func (f *facts) byDKIM() state {
	best := absent
	for _, k := range f.dns.keys {
		switch {
		case !aligned(k.Domain, f.from, f.dns.policy.key):
		case k.state == present && k.why == "":
			return present
		case k.state == unknown:
			best = unknown
		}
	}
	return best
}

// passes: whether a message can pass DMARC at all (RFC 7489, section 4.2).
func (f *facts) passes() state {
	ways := []state{f.bySPF(), f.byDKIM()}
	switch {
	case slices.Contains(ways, present):
		return present
	case slices.Contains(ways, unknown):
		return unknown
	}
	return absent
}
