package webhook

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/adapters/bounce"
	"github.com/cleversender/cleversender/domain/personal"
)

var errPassword = errors.New("the user or the password is wrong")

// Postmark hears of bounces and complaints from Postmark, which signs nothing:
// the webhook's address there carries a user and a password, as
// https://user:password@host/path.
func Postmark(o Options, user, password string) (http.Handler, error) {
	if user == "" || len(password) < 16 {
		return nil, errors.New("a webhook for Postmark needs a user, and a password of 16 characters or more")
	}
	return o.handler(bounce.Postmark, func(r *http.Request, body []byte, _ time.Time) ([]bounce.Report, error) {
		u, p, _ := r.BasicAuth()
		if same(u, user)&same(p, password) != 1 {
			return nil, errPassword
		}
		return postmarkReports(body)
	}), nil
}

// same compares in a time that does not depend on where two texts differ.
func same(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

// postmarkKinds is what Postmark's types of bounces mean, but those that say
// nothing of the mailbox.
var postmarkKinds = map[string]bounce.Kind{
	"HardBounce":            bounce.Hard,
	"BadEmailAddress":       bounce.Hard,
	"SoftBounce":            bounce.Soft,
	"Transient":             bounce.Soft,
	"DnsError":              bounce.Soft,
	"Blocked":               bounce.Block,
	"SpamNotification":      bounce.Block,
	"VirusNotification":     bounce.Block,
	"OpenRelayTest":         bounce.Block,
	"DMARCPolicy":           bounce.Block,
	"ManuallyDeactivated":   bounce.Block,
	"AutoResponder":         bounce.AutoReply,
	"AddressChange":         bounce.AutoReply,
	"ChallengeVerification": bounce.AutoReply,
	"SpamComplaint":         bounce.Complaint,
}

// postmarkEvent is one bounce or complaint.
type postmarkEvent struct {
	RecordType, Type, Email, Details, Content string
	ID                                        int64
	Metadata                                  struct {
		MessageID string `json:"message_id"`
	}
}

func postmarkReports(body []byte) ([]bounce.Report, error) {
	var e postmarkEvent
	if err := decode(body, &e); err != nil {
		return nil, err
	}
	if e.RecordType != "Bounce" && e.RecordType != "SpamComplaint" {
		return nil, nil
	}
	kind, known := postmarkKinds[e.Type]
	if !known {
		kind = bounce.Unknown
	}
	_, status := bounce.Explain("", e.Details)
	r := bounce.Report{
		ID: fmt.Sprintf("postmark-%d", e.ID), Kind: kind, Source: bounce.Postmark, Status: status, MessageID: bare(e.Metadata.MessageID),
		Recipient: personal.Of(e.Email), Diagnostic: bounce.Quote(e.Details),
	}
	if kind == bounce.Complaint {
		r.Feedback = "abuse"
	}
	if e.Content != "" && r.MessageID == "" {
		if mail, err := bounce.Parse("", []byte(e.Content)); err == nil {
			r.MessageID, r.Paths = mail.MessageID, mail.Paths
		}
	}
	return []bounce.Report{r}, nil
}
