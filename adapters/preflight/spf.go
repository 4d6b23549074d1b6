package preflight

import (
	"context"
	"strings"
)

const maxLookups = 10 // RFC 7208, section 4.6.4

// spf is what a domain's SPF record says before any message is there: which
// server will send is not known, so only whether one could pass.
type spf struct {
	state  state
	why    string // no receiver can read it; "": they can
	all    byte   // qualifier of the all mechanism (RFC 7208, section 4.6.2); 0: there is none
	passes bool   // some server could pass
}

// reader of SPF counts the lookups that receivers have to make, and ends past maxLookups.
type spfReader struct {
	resolver Resolver
	lookups  int
}

// record reads a domain's record, and those that it names.
func (s *spfReader) record(ctx context.Context, domain string) spf {
	if strings.Contains(domain, "%") { // a macro, which the message alone can fill in (RFC 7208, section 7)
		return spf{state: present, passes: true}
	}
	records, state := txt(ctx, s.resolver, domain, "v=spf1")
	switch {
	case state != present:
		return spf{state: state}
	case len(records) > 1: // RFC 7208, section 4.5
		return spf{state: present, why: domain + " has more than one"}
	}
	is, redirect := spf{state: present}, ""
	for _, term := range strings.Fields(strings.ToLower(records[0]))[1:] {
		if target, isRedirect := strings.CutPrefix(term, "redirect="); isRedirect {
			redirect = target
		} else if s.term(ctx, &is, term); is.why != "" {
			return is
		}
	}
	if redirect == "" || is.all != 0 { // RFC 7208, section 6.1
		return is
	}
	next := s.named(ctx, redirect)
	next.passes = next.passes || is.passes
	if next.state == absent {
		next.state, next.why = present, redirect+", which it names, has none"
	}
	if is.state == unknown {
		next.state = unknown
	}
	return next
}

// term takes a mechanism in (RFC 7208, section 5).
func (s *spfReader) term(ctx context.Context, is *spf, term string) {
	qualifier := byte('+')
	if strings.IndexByte("+-~?", term[0]) >= 0 {
		qualifier, term = term[0], term[1:]
	}
	name, argument, _ := strings.Cut(term, ":")
	name, _, _ = strings.Cut(name, "/")
	switch name {
	case "all":
		is.all = qualifier
		return
	case "ip4", "ip6":
	case "a", "mx", "ptr", "exists":
		s.lookups++
	case "include":
		switch in := s.named(ctx, argument); {
		case in.state == absent: // RFC 7208, section 5.2
			is.why = argument + ", which it includes, has none"
		case in.why != "":
			is.why = in.why
		case in.state == unknown:
			is.state = unknown
		}
	default:
		if !strings.Contains(name, "=") { // but an unknown modifier is ignored (RFC 7208, section 6)
			is.why = "it says " + clip(term, 40) + ", which means nothing"
		}
		return
	}
	is.passes = is.passes || qualifier == '+'
}

// named is the record of a domain that another record names.
func (s *spfReader) named(ctx context.Context, domain string) spf {
	if s.lookups++; s.lookups > maxLookups {
		return spf{state: present}
	}
	return s.record(ctx, domain)
}

// clip is text from elsewhere as it can be shown.
func clip(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
