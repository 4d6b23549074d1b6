package preflight

import (
	"context"
	"strings"

	"github.com/emersion/go-msgauth/dmarc"
	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// hostOf is the domain of an address, in lower-case A-labels (RFC 5890,
// section 2.3.2.1); "": there is none.
func hostOf(address string) string {
	domain := address[strings.LastIndexByte(address, '@')+1:]
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return ""
	}
	return strings.ToLower(ascii)
}

// organisation is the domain that somebody registered (RFC 7489, section 3.2).
func organisation(domain string) string {
	if org, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return org
	}
	return domain
}

// aligned: RFC 7489, section 3.1.
func aligned(a, b string, mode dmarc.AlignmentMode) bool {
	if mode == dmarc.AlignmentStrict {
		return a == b
	}
	return a != "" && b != "" && organisation(a) == organisation(b)
}

// policy is what a domain's DMARC record asks receivers to do.
type policy struct {
	state    state
	why      string // it cannot be read; "": it can
	asks     dmarc.Policy
	spf, key dmarc.AlignmentMode
}

// findPolicy looks at the domain, then at its organisation (RFC 7489, section 6.6.3).
func findPolicy(ctx context.Context, r Resolver, domain string) policy {
	for _, at := range []string{domain, organisation(domain)} {
		records, state := txt(ctx, r, "_dmarc."+at, "v=DMARC1")
		switch {
		case state == unknown:
			return policy{}
		case state == absent:
			continue
		case len(records) > 1:
			return policy{state: present, why: "there is more than one"}
		}
		record, err := dmarc.Parse(records[0])
		if err != nil {
			return policy{state: present, why: clip(strings.TrimPrefix(err.Error(), "dmarc: "), 100)}
		}
		p := policy{state: present, asks: record.Policy, spf: record.SPFAlignment, key: record.DKIMAlignment}
		if at != domain && record.SubdomainPolicy != "" {
			p.asks = record.SubdomainPolicy
		}
		return p
	}
	return policy{state: absent}
}

// reserved: names that nobody can own (RFC 6761, section 6; RFC 6762, section
// 3; RFC 8375), and which no DNS is asked about.
func reserved(domain string) bool {
	for _, name := range []string{
		"example", "example.com", "example.net", "example.org", "test", "invalid", "localhost", "local", "internal", "home.arpa", "onion", "alt",
	} {
		if domain == name || strings.HasSuffix(domain, "."+name) {
			return true
		}
	}
	return !strings.Contains(domain, ".")
}
