package preflight

import (
	"context"
	"strings"
)

// Key is a DKIM key that signs the campaign's messages.
type Key struct {
	Domain string // d=, in lower-case A-labels
	Name   string // where its record belongs: selector._domainkey.domain
	Record string // what belongs there
}

// published is what the DNS holds of a key.
type published struct {
	Key
	state state
	why   string // it is not the key's record; "": it is
}

func findKey(ctx context.Context, r Resolver, k Key) published {
	all, err := r.LookupTXT(ctx, absolute(k.Name))
	found := published{Key: k, state: stateOf(len(all), err)}
	switch {
	case found.state != present:
	case len(all) > 1: // RFC 6376, section 3.6.2.2
		found.why = "there is more than one"
	default:
		found.why = differs(tags(k.Record), tags(all[0]))
	}
	return found
}

// differs says what of a key's record receivers would stumble over (RFC 6376,
// section 3.6.1); "": nothing.
func differs(want, got map[string]string) string {
	value := func(tag, otherwise string) string {
		if v, ok := got[tag]; ok {
			return v
		}
		return otherwise
	}
	switch {
	case value("v", "DKIM1") != "DKIM1":
		return "it is no DKIM record"
	case got["p"] == "":
		return "the key in it is revoked"
	case got["p"] != want["p"]:
		return "it holds another key"
	case value("k", "rsa") != want["k"]:
		return "it says that the key is of another kind"
	case !lists(value("h", "*"), "sha256"):
		return "it does not allow SHA-256"
	case !lists(value("s", "*"), "email"):
		return "it is not for e-mail"
	case lists(value("t", ""), "y"):
		return "it says that the key is on trial (t=y), and is then as good as none"
	}
	return ""
}

// tags reads a tag list (RFC 6376, section 3.2), white space left out.
func tags(record string) map[string]string {
	out := map[string]string{}
	for pair := range strings.SplitSeq(record, ";") {
		name, value, ok := strings.Cut(pair, "=")
		if ok {
			out[strings.TrimSpace(name)] = strings.Join(strings.Fields(value), "")
		}
	}
	return out
}

// lists: a colon-separated list holds an item, or "*" all of them.
func lists(list, item string) bool {
	for one := range strings.SplitSeq(list, ":") {
		if one == item || one == "*" {
			return true
		}
	}
	return false
}
