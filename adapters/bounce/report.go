package bounce

import (
	"strings"

	"github.com/cleversender/cleversender/domain/personal"
)

// A Kind is what a report says of the mailbox. Names are stored.
type Kind string

const (
	Hard      Kind = "hard"       // nothing will ever reach the mailbox
	Soft      Kind = "soft"       // not now: full, too large, out of reach
	Block     Kind = "block"      // we or the message are not wanted; says nothing of the mailbox
	Delayed   Kind = "delayed"    // not yet; they keep trying
	Delivered Kind = "delivered"  // it arrived, or left for a place that reports no further
	AutoReply Kind = "auto_reply" // a machine answered in somebody's place
	Complaint Kind = "complaint"  // somebody called the message unwanted
	Unknown   Kind = "unknown"    // none of these
)

// A Source is who made a report. Names are stored.
type Source string

const (
	DSN      Source = "dsn"      // a delivery status notification (RFC 3464)
	Feedback Source = "feedback" // a complaint in the format of RFC 5965, or one like it
	Text     Source = "text"     // words for people
	SES      Source = "ses"
	SendGrid Source = "sendgrid"
	Postmark Source = "postmark"
)

// Report is what somebody said of one message to one person. Anybody can send
// one, about anything: believe it when one of Paths, or MessageID, carries a
// valid MAC, or when it came by a signed webhook.
type Report struct {
	ID         string // the same for the same report, when it comes again
	Kind       Kind
	Source     Source
	Status     string          // "5.1.1" (RFC 3463); "" when none was given or can be told
	Feedback   string          // of a complaint: abuse, fraud, … (RFC 5965, section 7.3)
	Reporter   string          // the host that reports
	MessageID  string          // of the message that it is about, without angle brackets
	Paths      []personal.Text // addresses that may be the message's envelope sender, best first
	Recipient  personal.Text   // whom the message did not reach, as the reporter calls them
	Diagnostic personal.Text   // the words of the server that refused, up to MaxDiagnostic bytes
}

// MaxDiagnostic bounds what is kept of a server's words, in bytes.
const MaxDiagnostic = 500

// Quote bounds a server's words.
func Quote(words string) personal.Text {
	words = squeezed(words)
	return personal.Of(strings.ToValidUTF8(words[:min(len(words), MaxDiagnostic)], ""))
}
