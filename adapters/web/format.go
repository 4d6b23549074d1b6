package web

import (
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/contactimport"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/privacyrequest"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/audience"
)

var funcs = template.FuncMap{
	"n": thousands, "percent": percent, "when": when, "iso": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"status": func(s campaign.Status) string { return statusNames[s] }, "limit": func(by string) string { return limitNames[by] }, "why": func(r delivery.Reason) string { return reasonNames[r] },
	"hold": func(h subscriber.Hold) string { return holdNames[h] }, "asked": func(k privacyrequest.Kind) string { return requestNames[k] },
	"stands":   func(s message.Status) string { return messageNames[s] },
	"machine":  func(m engagement.Machine) string { return machineNames[m] },
	"standing": func(s audience.Standing) string { return standingNames[s] }, "purpose": func(p consent.Purpose) string { return purposeNames[p] },
	"method": func(m consent.Method) string { return strings.ReplaceAll(string(m), "_", " ") },
	"short":  func(s string) string { return s[:min(8, len(s))] }, "plain": plain, "join": strings.Join, "size": size,
	"said": func(eventType string) string { return saidNames[eventType] }, "bytes": func(b []byte) string { return size(int64(len(b))) },
	"left":    func(code string) string { return leftNames[code] },
	"leftOut": func(c contactimport.Counts) string { return thousands(c.Suppressed + c.Rejected) },
}

var limitNames = map[string]string{
	"window": "its hours to begin", "warmup": "the next day, as its sender is still new", "throttle": "its own speed", "account": "the account's speed",
	"rate": "the speed of everything that is sent", "breaker": "the mail servers, which turned it away",
}

// leftNames is why a row of an import was left out, by its code.
var leftNames = map[string]string{
	"no_address": "There is no address in it.", "bad_address": "This is not an e-mail address.",
	"address_too_long": "The address is longer than an address can be.", "bad_domain": "What follows the @ is not a domain name.",
	"address_has_controls": "The address holds a space or another character that no address has.",
	"bad_text":             "It holds characters that are not text.", "text_too_long": "It is too long.",
	"bad_time": "This is not a time that can be.", "bad_encoding": "It is not UTF-8.",
	"bare_quote": "A quotation mark stands where none may.", "unclosed_quote": "A quotation mark is never closed.",
	"too_many_columns": "It has more columns than the first line.", "row_too_long": "It is longer than 64 kB.",
}

var machineNames = map[engagement.Machine]string{
	engagement.Prefetch: "Fetched ahead by a browser, before anybody looked", engagement.HeadProbe: "Asked whether it is there, and did not fetch it",
	engagement.ImageProxy: "A mail provider's proxy fetched the pictures", engagement.Scanner: "A security scanner, crawler or program",
}

var statusNames = map[campaign.Status]string{
	campaign.Draft: "Draft", campaign.Waiting: "Scheduled", campaign.Sending: "Sending",
	campaign.Held: "Paused", campaign.Done: "Finished", campaign.CalledOff: "Cancelled",
}

var standingNames = map[audience.Standing]string{
	audience.Mailable: "Gets mail", audience.Unconfirmed: "Not confirmed", audience.Revoked: "Unsubscribed", audience.Silent: "Never agreed",
	audience.Suppressed: "Suppressed", audience.Objected: "Objected", audience.Restricted: "Restricted",
}

var holdNames = map[subscriber.Hold]string{
	subscriber.Restriction: "Restricted: their data is kept and not used", subscriber.Objection: "Objected to marketing",
	subscriber.HardBounce: "Suppressed: the address does not exist", subscriber.SoftBounces: "Suppressed: the address has not taken mail for long",
	subscriber.Complaint: "Suppressed: they reported a message as spam", subscriber.Manual: "Suppressed by hand",
}

var requestNames = map[privacyrequest.Kind]string{
	privacyrequest.Access: "Their data", privacyrequest.Erasure: "Erasure",
	privacyrequest.Restriction: "Restriction", privacyrequest.Objection: "No more marketing",
}

var purposeNames = map[consent.Purpose]string{
	consent.Mailing: "Mail from a list", consent.OpenTracking: "Tracking of opens", consent.ClickTracking: "Tracking of clicks",
	consent.Profiling: "Profiling", consent.PolicyNotices: "Notices about the policy",
}

// saidNames is what a consent event says, by its stored name.
var saidNames = map[string]string{
	"consent.requested": "Was asked, or asked to join", "consent.given": "Agreed", "consent.confirmed": "Confirmed from their mailbox",
	"consent.asserted": "The account says they agreed", "consent.revoked": "Withdrew", "subscriber.erased": "Was erased",
}

var reasonNames = map[delivery.Reason]string{
	delivery.NoConsent: "Never agreed to this mail", delivery.Unconfirmed: "Did not confirm the address",
	delivery.Revoked: "Unsubscribed before their turn", delivery.Erased: "Their data was erased",
	delivery.Suppressed: "Suppressed: their address bounced, or they complained", delivery.Objected: "Objected to marketing",
	delivery.Restricted:   "The use of their data is restricted",
	delivery.CampaignOver: "The campaign was cancelled", delivery.BadTemplate: "The message could not be made for them",
	delivery.Rejected: "The mail server refused the message", delivery.Unreachable: "No mail server took the message",
}

// thousands writes a number with thin spaces between its thousands.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// percent of a whole; "–" when there is no whole.
func percent(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64) + "\u202f%"
}

// when is a moment for people; the zero moment is "".
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006, 15:04 UTC")
}

// plain is a personal value, opened; what is gone says so.
func plain(t personal.Text) string {
	if t.IsErased() {
		return "erased"
	}
	s, _ := t.Reveal()
	return s
}

func size(n int64) string {
	switch {
	case n < 1<<10:
		return strconv.FormatInt(n, 10) + "\u202fB"
	case n < 1<<20:
		return strconv.FormatFloat(float64(n)/(1<<10), 'f', 1, 64) + "\u202fkB"
	default:
		return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + "\u202fMB"
	}
}
