package preflight

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
)

// Resolver asks the DNS; *net.Resolver is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupHost(ctx context.Context, name string) ([]string, error)
	LookupNS(ctx context.Context, name string) ([]*net.NS, error)
}

// A state is what is known of a name or a record. No answer is not a no.
type state int

const (
	unknown state = iota
	absent
	present
)

// stateOf reads a lookup's outcome.
func stateOf(found int, err error) state {
	var fault *net.DNSError
	switch {
	case err == nil && found > 0:
		return present
	case err == nil, errors.As(err, &fault) && fault.IsNotFound:
		return absent
	default:
		return unknown
	}
}

// txt is the TXT records of a name that begin with one of a kind, whatever the
// case; the others are about something else.
func txt(ctx context.Context, r Resolver, name, kind string) ([]string, state) {
	all, err := r.LookupTXT(ctx, absolute(name))
	if stateOf(len(all), err) == unknown {
		return nil, unknown
	}
	all = slices.DeleteFunc(all, func(s string) bool { return !hasTag(s, kind) })
	return all, stateOf(len(all), nil)
}

// hasTag: the text begins with kind, which ends there or at what is no part of
// a word: "v=spf10" is not "v=spf1" (RFC 7208, section 4.5).
func hasTag(s, kind string) bool {
	if len(s) < len(kind) || !strings.EqualFold(s[:len(kind)], kind) {
		return false
	}
	return len(s) == len(kind) || strings.IndexByte(" ;\t", s[len(kind)]) >= 0
}

// absolute keeps a resolver's search list out of it.
func absolute(name string) string { return strings.TrimSuffix(name, ".") + "." }

// exists: absent only when no kind of record that a domain for mail has is there.
func exists(ctx context.Context, r Resolver, domain string) state {
	domain = absolute(domain)
	mx, err := r.LookupMX(ctx, domain)
	all := []state{stateOf(len(mx), err)}
	if all[0] != present {
		hosts, err := r.LookupHost(ctx, domain)
		all = append(all, stateOf(len(hosts), err))
		texts, err := r.LookupTXT(ctx, domain)
		all = append(all, stateOf(len(texts), err))
		servers, err := r.LookupNS(ctx, domain)
		all = append(all, stateOf(len(servers), err))
	}
	switch {
	case slices.Contains(all, present):
		return present
	case slices.Contains(all, unknown):
		return unknown
	}
	return absent
}

// takesMail: an MX record, but for the null one (RFC 7505, section 3), or
// without any an address (RFC 5321, section 5.1).
func takesMail(ctx context.Context, r Resolver, domain string) state {
	mx, err := r.LookupMX(ctx, absolute(domain))
	switch s := stateOf(len(mx), err); {
	case s == present && len(mx) == 1 && mx[0].Host == ".":
		return absent
	case s != absent:
		return s
	}
	hosts, err := r.LookupHost(ctx, absolute(domain))
	return stateOf(len(hosts), err)
}
