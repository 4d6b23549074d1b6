package webhook

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/cleversender/cleversender/adapters/bounce"
	"github.com/cleversender/cleversender/domain/personal"
)

// SendGrid hears from SendGrid's signed event webhook. publicKey is the
// verification key that its settings show, base64.
func SendGrid(o Options, publicKey string) (http.Handler, error) {
	der, err := base64.StdEncoding.DecodeString(publicKey)
	if err != nil {
		return nil, errors.New("SendGrid's verification key is not base64")
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	key, isECDSA := parsed.(*ecdsa.PublicKey)
	if err != nil || !isECDSA || key.Curve != elliptic.P256() {
		return nil, errors.New("SendGrid's verification key is not one of ECDSA on P-256")
	}
	return o.handler(bounce.SendGrid, func(r *http.Request, body []byte, now time.Time) ([]bounce.Report, error) {
		stamp := r.Header.Get("X-Twilio-Email-Event-Webhook-Timestamp")
		signature, err := base64.StdEncoding.DecodeString(r.Header.Get("X-Twilio-Email-Event-Webhook-Signature"))
		sum := sha256.Sum256(append([]byte(stamp), body...))
		if err != nil || !ecdsa.VerifyASN1(key, sum[:], signature) {
			return nil, errForged
		}
		seconds, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			return nil, errBad
		}
		if err := fresh(time.Unix(seconds, 0), now); err != nil {
			return nil, err
		}
		return sendGridReports(body)
	}), nil
}

// sendGridEvent is one of a request's.
type sendGridEvent struct {
	Event, Type, Reason, Response, Status, Email string
	SMTPID                                       string `json:"smtp-id"`
	ID                                           string `json:"sg_event_id"`
}

func sendGridReports(body []byte) (reports []bounce.Report, err error) {
	var events []sendGridEvent
	if err := decode(body, &events); err != nil {
		return nil, err
	}
	for _, e := range events {
		kind, status := e.fate()
		if kind == "" {
			continue
		}
		r := bounce.Report{
			ID: fmt.Sprintf("sendgrid-%.100s", e.ID), Kind: kind, Source: bounce.SendGrid, Status: status, MessageID: bare(e.SMTPID),
			Recipient: personal.Of(e.Email), Diagnostic: bounce.Quote(e.Reason + e.Response),
		}
		if kind == bounce.Complaint {
			r.Feedback = "abuse"
		}
		reports = append(reports, r)
	}
	return reports, nil
}

// fate is what an event says of the mailbox; "" for those that are of no
// interest here.
func (e sendGridEvent) fate() (bounce.Kind, string) {
	kind, status := bounce.Explain(e.Status, e.Reason)
	switch e.Event {
	case "bounce":
		switch {
		case e.Type == "blocked" && kind != bounce.Soft: // their word for what is not about the address
			return bounce.Block, status
		case e.Type == "bounce" && kind == bounce.Unknown:
			return bounce.Hard, status
		}
		return kind, status
	case "dropped":
		switch e.Reason {
		case "Bounced Address", "Invalid":
			return bounce.Hard, ""
		case "Spam Reporting Address":
			return bounce.Complaint, ""
		}
		return bounce.Block, ""
	case "deferred":
		_, status := bounce.Explain(e.Status, e.Response)
		return bounce.Delayed, status
	case "spamreport":
		return bounce.Complaint, ""
	}
	return "", ""
}
