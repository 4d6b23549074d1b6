package pacing

import (
	"fmt"
	"strings"

	"github.com/cleversender/cleversender/domain/delivery"
)

// When a campaign has to stop, of the last results that servers decided on.
const (
	results       = 200 // looked at
	enough        = 50  // to judge by
	mostRejected  = 0.5
	mostNobody    = 0.2 // addresses that do not exist: a list that was not collected
	mostUntrusted = 3
)

// verdict is what a result says about the campaign.
type verdict uint8

const (
	fine      verdict = iota
	rejected          // 5yz
	nobody            // there is no such mailbox
	untrusted         // the sender is not authenticated
	verdicts
)

// breaker judges a campaign by its last results.
type breaker struct {
	last  [results]verdict
	n     int // in all
	count [verdicts]int
}

// heard counts a result; stop, unless "", is why the campaign has to stop.
func (b *breaker) heard(v verdict, r delivery.Reply) (code, sentence string) {
	i := b.n % results
	if b.n >= results {
		b.count[b.last[i]]--
	}
	b.last[i] = v
	b.count[v]++
	b.n++
	of := min(b.n, results)
	switch {
	case v == fine:
	case r.Enhanced == "5.7.515" || b.count[untrusted] >= mostUntrusted:
		return "unauthenticated", fmt.Sprintf("servers do not trust the sender's domain (%d %s): see to its SPF, DKIM and DMARC", r.Code, r.Enhanced)
	case of < enough:
	case float64(b.count[rejected]+b.count[untrusted]) >= mostRejected*float64(of):
		return "rejections", fmt.Sprintf("servers rejected %d of the last %d messages", b.count[rejected]+b.count[untrusted], of)
	case float64(b.count[nobody]) > mostNobody*float64(of):
		return "unknown_recipients", fmt.Sprintf("%d of the last %d addresses do not exist: was this list collected from the people on it?", b.count[nobody], of)
	}
	return "", ""
}

// judge says what a reply says about the campaign; not decided: nothing.
func judge(r delivery.Reply) (v verdict, decided bool) {
	switch {
	case r.Outcome == delivery.Taken:
		return fine, true
	case r.Outcome != delivery.Never || r.Code == 0: // without a code it is our own word
		return fine, false
	case unauthenticated[r.Enhanced]:
		return untrusted, true
	case r.Enhanced == "5.1.7", r.Enhanced == "5.1.8": // the sender's address (RFC 3463, section 3.2)
		return rejected, true
	case strings.HasPrefix(r.Enhanced, "5.1."), strings.HasPrefix(r.Enhanced, "5.2."):
		return nobody, true
	case r.Enhanced == "" && (r.Code == 551 || r.Code == 553): // RFC 5321, section 4.2.2
		return nobody, true
	}
	return rejected, true
}

// unauthenticated says which codes ask for SPF, DKIM and DMARC: RFC 7372,
// section 3, and those that Google and Microsoft made up.
var unauthenticated = map[string]bool{
	"5.7.20": true, "5.7.21": true, "5.7.22": true, "5.7.23": true, "5.7.24": true, "5.7.25": true, "5.7.26": true,
	"5.7.27": true, "5.7.30": true, "5.7.32": true, "5.7.509": true, "5.7.515": true,
}
