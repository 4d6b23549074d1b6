package bounce

import (
	"strings"

	"github.com/cleversender/cleversender/domain/personal"
)

// complaints are the types of feedback by which somebody says that they did
// not want a message (RFC 5965, section 7.3, and its registry). not-spam takes
// it back, auth-failure (RFC 6591) is about us.
var complaints = map[string]bool{"abuse": true, "fraud": true, "virus": true, "other": true, "opt-out": true, "opt-out-list": true}

// OfFeedback is what a type of feedback makes of a report.
func OfFeedback(kind string) Kind {
	if complaints[kind] {
		return Complaint
	}
	return Unknown
}

// feedback reads a complaint in the Abuse Reporting Format (RFC 5965).
func (r *Report) feedback(m *mail) {
	report, _ := readFields(m.feedback)
	r.Source, r.Feedback = Feedback, token(report.get("Feedback-Type"))
	r.Kind = OfFeedback(r.Feedback)
	r.Reporter = hostIn(typed(report.get("Reporting-MTA")))
	if to := addressIn(report.get("Original-Rcpt-To")); to != "" {
		r.Recipient = personal.Of(to)
	}
}

// isForwardedComplaint: Outlook.com sends complaints as the message itself,
// attached, with a field that names who complained (their Junk Mail Reporting
// Program).
func (m *mail) isForwardedComplaint() bool {
	return m.original.get("X-HmXmrOriginalRecipient") != ""
}

// token is a short word of a protocol, in lower case; "" for anything else.
func token(value string) string {
	value = strings.ToLower(strings.TrimSpace(value))
	if len(value) > 40 || strings.Trim(value, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return ""
	}
	return value
}
