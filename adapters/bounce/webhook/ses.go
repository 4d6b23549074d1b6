package webhook

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cleversender/cleversender/adapters/bounce"
	"github.com/cleversender/cleversender/domain/personal"
)

// SES hears from Amazon SES by way of SNS topics, given by their ARNs; it
// confirms their subscriptions by itself. fetch is FetchHTTPS but in tests.
func SES(o Options, arns []string, fetch Fetch) (http.Handler, error) {
	topics, err := newTopics(arns, fetch)
	if err != nil {
		return nil, err
	}
	return o.handler(bounce.SES, func(r *http.Request, body []byte, now time.Time) ([]bounce.Report, error) {
		n, err := topics.read(r.Context(), body, now)
		if err != nil {
			return nil, err
		}
		switch n.Type {
		case "SubscriptionConfirmation":
			return nil, topics.confirm(r.Context(), n)
		case "Notification":
			return sesReports(n), nil
		default: // UnsubscribeConfirmation: somebody at the account decided so
			return nil, nil
		}
	}), nil
}

// sesEvent is what SES says in a notification; its two ways of publishing
// differ in the name of the type.
type sesEvent struct {
	EventType, NotificationType string
	Mail                        struct {
		Source        string
		CommonHeaders struct{ MessageID string }
	}
	Bounce struct {
		BounceType, BounceSubType, ReportingMTA, FeedbackID string
		BouncedRecipients                                   []sesRecipient
	}
	Complaint struct {
		ComplaintFeedbackType, FeedbackID string
		ComplainedRecipients              []sesRecipient
	}
	DeliveryDelay struct{ DelayedRecipients []sesRecipient }
}

type sesRecipient struct{ EmailAddress, Status, DiagnosticCode string }

func sesReports(n notification) (reports []bounce.Report) {
	var e sesEvent
	if decode([]byte(n.Message), &e) != nil {
		return nil // words for people, as when a topic is set up
	}
	add := func(i int, id string, to sesRecipient, r bounce.Report) {
		if id == "" {
			id = n.MessageId
		}
		r.ID, r.Source = fmt.Sprintf("ses-%.100s-%d", id, i), bounce.SES
		r.MessageID = bare(e.Mail.CommonHeaders.MessageID)
		r.Paths = []personal.Text{personal.Of(e.Mail.Source)}
		r.Recipient, r.Diagnostic = personal.Of(to.EmailAddress), bounce.Quote(to.DiagnosticCode)
		reports = append(reports, r)
	}
	switch e.EventType + e.NotificationType {
	case "Bounce":
		for i, to := range e.Bounce.BouncedRecipients {
			kind, status := e.fate(to)
			reporter := strings.TrimSpace(strings.TrimPrefix(e.Bounce.ReportingMTA, "dns;"))
			add(i, e.Bounce.FeedbackID, to, bounce.Report{Kind: kind, Status: status, Reporter: reporter})
		}
	case "Complaint":
		for i, to := range e.Complaint.ComplainedRecipients {
			said := e.Complaint.ComplaintFeedbackType
			kind := bounce.OfFeedback(said)
			if said == "" { // the provider did not say which; SES calls it a complaint
				kind = bounce.Complaint
			}
			add(i, e.Complaint.FeedbackID, to, bounce.Report{Kind: kind, Feedback: said})
		}
	case "DeliveryDelay":
		for i, to := range e.DeliveryDelay.DelayedRecipients {
			add(i, "", to, bounce.Report{Kind: bounce.Delayed, Status: to.Status})
		}
	}
	return reports
}

// fate is what a bounce says of one recipient. SES calls whatever is final
// permanent, also what is about us; the receiver's own words tell more.
func (e sesEvent) fate(to sesRecipient) (bounce.Kind, string) {
	kind, status := bounce.Explain(to.Status, to.DiagnosticCode)
	switch sub := e.Bounce.BounceSubType; {
	case sub == "Suppressed" || sub == "OnAccountSuppressionList": // they bounced before; SES did not even try
		return bounce.Hard, to.Status
	case sub == "UnsubscribedRecipient" || sub == "ContentRejected" || sub == "AttachmentRejected":
		return bounce.Block, to.Status
	case e.Bounce.BounceType == "Permanent" && kind == bounce.Unknown:
		return bounce.Hard, to.Status
	case e.Bounce.BounceType == "Transient" && kind != bounce.Block:
		return bounce.Soft, status
	}
	return kind, status
}

// bare is an id without its angle brackets.
func bare(id string) string {
	return strings.Trim(strings.TrimSpace(id), "<>")
}
