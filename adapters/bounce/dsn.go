package bounce

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cleversender/cleversender/domain/personal"
)

// mildness orders kinds: a message that reached one of several mailboxes behind
// an address reached the person.
var mildness = []Kind{Delivered, Delayed, Unknown, Soft, Block, Hard}

// What is read of a notification.
const (
	maxRecipients = 20      // groups
	maxSaid       = 4 << 10 // bytes of its part for people, for each group that says too little
)

// dsn reads a delivery status notification (RFC 3464). Of several recipients,
// which an address stands for that forwards, the mildest fate counts.
func (r *Report) dsn(m *mail) {
	r.Source, r.Kind = DSN, Unknown
	best := len(mildness)
	for rest, n := m.status, 0; rest != "" && n < maxRecipients; n++ {
		var group fields
		group, rest = readFields(rest)
		if mta := group.get("Reporting-MTA"); mta != "" {
			r.Reporter = hostIn(typed(mta))
		}
		if group.get("Action") == "" && group.get("Status") == "" {
			continue
		}
		kind, status := fate(group, m.text)
		if rank := slices.Index(mildness, kind); rank < best {
			best = rank
			r.Kind, r.Status = kind, status
			r.Diagnostic = Quote(typed(group.get("Diagnostic-Code")))
			r.Recipient = recipientIn(group)
		}
	}
}

// fate is what a recipient's group says (RFC 3464, section 2.3). text is the
// notification's part for people.
func fate(group fields, text string) (Kind, string) {
	status := findStatus(group.get("Status"))
	switch strings.ToLower(group.get("Action")) {
	case "delivered", "relayed", "expanded":
		return Delivered, ""
	case "delayed":
		return Delayed, status
	}
	diagnostic := typed(group.get("Diagnostic-Code"))
	if _, at := match(patterns, folded(diagnostic)); at < 0 && imprecise(status) && imprecise(findStatus(diagnostic)) {
		diagnostic += " " + text[:min(len(text), maxSaid)]
	}
	return Explain(status, diagnostic)
}

// recipientIn is whom a group is about.
func recipientIn(group fields) personal.Text {
	for _, name := range []string{"Original-Recipient", "Final-Recipient"} {
		value := group.get(name)
		address := typed(value)
		if strings.HasPrefix(strings.ToLower(value), "utf-8") {
			address = unescaped(address)
		}
		if address = addressIn(address); address != "" {
			return personal.Of(address)
		}
	}
	return personal.Text{}
}

var escape = regexp.MustCompile(`\\x\{([0-9A-Fa-f]{2,6})\}`)

// unescaped reads an address of type utf-8 (RFC 6533, section 3).
func unescaped(address string) string {
	return escape.ReplaceAllStringFunc(address, func(e string) string {
		n, _ := strconv.ParseUint(e[3:len(e)-1], 16, 32)
		if r := rune(n); n > ' ' && utf8.ValidRune(r) {
			return string(r)
		}
		return e
	})
}

var host = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?$`)

// hostIn is a host's name, or "" for anything else.
func hostIn(value string) string {
	name, _, _ := strings.Cut(value, " ")
	if !host.MatchString(name) {
		return ""
	}
	return strings.ToLower(name)
}
