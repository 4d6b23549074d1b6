package webhook

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/bounce"
)

const (
	topic   = "arn:aws:sns:eu-west-1:123456789012:bounces"
	certURL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
)

// amazon signs notifications and serves the certificate.
type amazon struct {
	t       *testing.T
	key     *rsa.PrivateKey
	pem     []byte
	fetched []string
	down    bool
}

func newKeyOnce() func() (*rsa.PrivateKey, error) {
	return sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
}

var current, former = newKeyOnce(), newKeyOnce()

// newAmazon has a certificate of the current key, or an expired one of the former.
func newAmazon(t *testing.T, notAfter time.Time) *amazon {
	t.Helper()
	keys := current
	if notAfter.Before(now) {
		keys = former
	}
	key, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: notAfter,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &amazon{t: t, key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func (a *amazon) fetch(_ context.Context, url string) ([]byte, error) {
	a.fetched = append(a.fetched, url)
	if a.down {
		return nil, errors.New("the host cannot be reached")
	}
	return a.pem, nil
}

// notify is a signed notification, after change had its way with what is
// signed, and tamper with the result.
func (a *amazon) notify(message string, change, tamper func(*notification)) string {
	a.t.Helper()
	n := notification{
		Type: "Notification", MessageId: "sns-1", TopicArn: topic, Message: message, Timestamp: now.Add(-time.Minute).Format("2006-01-02T15:04:05.000Z"),
		SignatureVersion: "2", SigningCertURL: certURL,
	}
	if change != nil {
		change(&n)
	}
	var err error
	var signature []byte
	if n.SignatureVersion == "1" {
		sum := sha1.Sum([]byte(n.signed()))
		signature, err = rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA1, sum[:])
	} else {
		sum := sha256.Sum256([]byte(n.signed()))
		signature, err = rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	}
	if err != nil {
		a.t.Fatal(err)
	}
	n.Signature = base64.StdEncoding.EncodeToString(signature)
	if tamper != nil {
		tamper(&n)
	}
	text, err := json.Marshal(n)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(text)
}

func hearing(t *testing.T, r *recorder, a *amazon) http.Handler {
	t.Helper()
	h, err := SES(r.options(), []string{topic}, a.fetch)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

const (
	sesMail   = `"mail":{"messageId":"ses-1","source":"b-x@bounces.sender.example","commonHeaders":{"messageId":"<k3v9.77@sender.example>"}}`
	sesBounce = `{"notificationType":"Bounce",` + sesMail + `,"bounce":{"bounceType":"Permanent","bounceSubType":"General","feedbackId":"f1",
		"reportingMTA":"dns; mx.recipient.example","bouncedRecipients":[{"emailAddress":"ann@recipient.example","action":"failed","status":"5.1.1",
		"diagnosticCode":"smtp; 550 5.1.1 user unknown"}]}}`
)

// The text that is signed is the one that Amazon documents.
func TestSigned(t *testing.T) {
	n := notification{Type: "Notification", Message: "m", MessageId: "i", Subject: "s", Timestamp: "t", TopicArn: "a", SubscribeURL: "u", Token: "k"}
	if got, want := n.signed(), "Message\nm\nMessageId\ni\nSubject\ns\nTimestamp\nt\nTopicArn\na\nType\nNotification\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	n.Type = "SubscriptionConfirmation"
	if got, want := n.signed(), "Message\nm\nMessageId\ni\nSubscribeURL\nu\nTimestamp\nt\nToken\nk\nTopicArn\na\nType\nSubscriptionConfirmation\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Bounces and complaints are heard, by either version of the signature and
// either way of publishing; the certificate is fetched once.
func TestSES(t *testing.T) {
	var r recorder
	a := newAmazon(t, now.AddDate(1, 0, 0))
	h := hearing(t, &r, a)
	bounced := func(kind, sub, status, says string) string {
		return `{"eventType":"Bounce","bounce":{"bounceType":"` + kind + `","bounceSubType":"` + sub + `","feedbackId":"` + kind + sub + `",
			"bouncedRecipients":[{"status":"` + status + `","diagnosticCode":"` + says + `"}]}}`
	}
	for i, message := range []string{
		sesBounce,
		bounced("Permanent", "General", "5.7.1", "smtp; 550 5.7.1 blocked"),
		bounced("Permanent", "NoEmail", "", ""),
		bounced("Permanent", "OnAccountSuppressionList", "5.1.1", "on the suppression list"),
		bounced("Transient", "MailboxFull", "5.2.2", "mailbox full"),
		bounced("Transient", "General", "5.1.1", "user unknown"),
		bounced("Transient", "ContentRejected", "5.6.0", "no"),
		bounced("Undetermined", "Undetermined", "", ""),
		`{"notificationType":"Complaint",` + sesMail + `,"complaint":{"feedbackId":"c1","complaintFeedbackType":"abuse","complainedRecipients":[{"emailAddress":"ann@recipient.example"}]}}`,
		`{"notificationType":"Complaint","complaint":{"feedbackId":"c2","complainedRecipients":[{}]}}`,
		`{"notificationType":"Complaint","complaint":{"feedbackId":"c3","complaintFeedbackType":"not-spam","complainedRecipients":[{}]}}`,
		`{"eventType":"DeliveryDelay","deliveryDelay":{"delayedRecipients":[{"status":"4.4.7"}]}}`,
		`{"eventType":"Delivery",` + sesMail + `}`,
		`Successfully validated SNS topic for Amazon SES event publishing.`,
	} {
		body := a.notify(message, func(n *notification) { n.SignatureVersion = []string{"1", "2"}[i%2] }, nil)
		if got := post(h, body); got != http.StatusOK {
			t.Fatalf("%s: %d", message, got)
		}
	}
	of := func(id string, kind bounce.Kind, status, says string) plain {
		return plain{ID: "ses-" + id + "-0", Kind: kind, Status: status, Says: says}
	}
	first := of("f1", bounce.Hard, "5.1.1", "smtp; 550 5.1.1 user unknown")
	first.MessageID, first.Path, first.Recipient, first.Machine = "k3v9.77@sender.example", "b-x@bounces.sender.example", "ann@recipient.example", "mx.recipient.example"
	complained := plain{ID: "ses-c1-0", Kind: bounce.Complaint, Feedback: "abuse", MessageID: first.MessageID, Path: first.Path, Recipient: first.Recipient}
	r.is(t, first,
		of("PermanentGeneral", bounce.Block, "5.7.1", "smtp; 550 5.7.1 blocked"),
		of("PermanentNoEmail", bounce.Hard, "", ""),
		of("PermanentOnAccountSuppressionList", bounce.Hard, "5.1.1", "on the suppression list"),
		of("TransientMailboxFull", bounce.Soft, "5.2.2", "mailbox full"),
		of("TransientGeneral", bounce.Soft, "5.1.1", "user unknown"),
		of("TransientContentRejected", bounce.Block, "5.6.0", "no"),
		of("UndeterminedUndetermined", bounce.Unknown, "", ""),
		complained,
		of("c2", bounce.Complaint, "", ""),
		plain{ID: "ses-c3-0", Kind: bounce.Unknown, Feedback: "not-spam"},
		of("sns-1", bounce.Delayed, "4.4.7", ""),
	)
	if len(a.fetched) != 1 || a.fetched[0] != certURL {
		t.Errorf("fetched %q", a.fetched)
	}
}

// What Amazon did not sign for our topic is not heard, and makes us fetch
// nothing from anywhere but the topic's own region.
func TestSESForged(t *testing.T) {
	cert := func(url string) func(*notification) { return func(n *notification) { n.SigningCertURL = url } }
	for name, tamper := range map[string]func(*notification){
		"message":       func(n *notification) { n.Message += " " },
		"another topic": func(n *notification) { n.TopicArn = "arn:aws:sns:eu-west-1:999999999999:theirs" },
		"type":          func(n *notification) { n.Type = "SubscriptionConfirmation" },
		"version":       func(n *notification) { n.SignatureVersion = "1" },
		"version 3":     func(n *notification) { n.SignatureVersion = "3" },
		"signature":     func(n *notification) { n.Signature = "AAAA" },
		"no base64":     func(n *notification) { n.Signature = "%" },
		"http":          cert(strings.Replace(certURL, "https", "http", 1)),
		"their host":    cert("https://sns.evil.example/SimpleNotificationService-0123456789abcdef.pem"),
		"host at end":   cert("https://evil.example/sns.eu-west-1.amazonaws.com/SimpleNotificationService-01.pem"),
		"host as user":  cert("https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-01.pem"),
		"host as label": cert("https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-01.pem"),
		"a port":        cert("https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-01.pem"),
		"a bucket":      cert("https://s3.eu-west-1.amazonaws.com/SimpleNotificationService-01.pem"),
		"a query":       cert("https://sns.eu-west-1.amazonaws.com/?Action=Echo&x=SimpleNotificationService-01.pem"),
		"this machine":  cert("https://127.0.0.1/SimpleNotificationService-01.pem"),
		"nowhere":       cert(""),
		"no host": func(n *notification) {
			n.TopicArn, n.SigningCertURL = "arn:aws:sns:eu-west-1:999999999999:theirs", "https:///SimpleNotificationService-01.pem"
		},
	} {
		t.Run(name, func(t *testing.T) {
			var r recorder
			a := newAmazon(t, now.AddDate(1, 0, 0))
			h := hearing(t, &r, a)
			r.refuses(t, name, post(h, a.notify(sesBounce, nil, tamper)), http.StatusForbidden)
			for _, url := range a.fetched {
				if url != certURL {
					t.Errorf("fetched %s", url)
				}
			}
		})
	}
}

// An expired certificate, another's certificate, an old notification and one
// from the future are refused; a certificate that cannot be had now is asked
// for again.
func TestSESTimes(t *testing.T) {
	at := func(d time.Duration) func(*notification) {
		return func(n *notification) { n.Timestamp = now.Add(d).Format(time.RFC3339) }
	}
	var r recorder
	good, expired := newAmazon(t, now.AddDate(1, 0, 0)), newAmazon(t, now.Add(-time.Hour))
	h := hearing(t, &r, good)
	r.refuses(t, "old", post(h, good.notify(sesBounce, at(-48*time.Hour), nil)), http.StatusForbidden)
	r.refuses(t, "future", post(h, good.notify(sesBounce, at(time.Hour), nil)), http.StatusForbidden)
	r.refuses(t, "no time", post(h, good.notify(sesBounce, func(n *notification) { n.Timestamp = "yesterday" }, nil)), http.StatusBadRequest)
	r.refuses(t, "expired", post(hearing(t, &r, expired), expired.notify(sesBounce, nil, nil)), http.StatusForbidden)
	r.refuses(t, "another key", post(h, expired.notify(sesBounce, nil, nil)), http.StatusForbidden)
	r.refuses(t, "no JSON", post(h, "{"), http.StatusBadRequest)
	fresh := newAmazon(t, now.AddDate(1, 0, 0))
	fresh.down = true
	h = hearing(t, &r, fresh)
	r.refuses(t, "down", post(h, fresh.notify(sesBounce, nil, nil)), http.StatusServiceUnavailable)
	fresh.down = false
	if got := post(h, fresh.notify(sesBounce, at(-23*time.Hour), nil)); got != http.StatusOK || len(r.reports) != 1 {
		t.Error("a retry of yesterday:", got, len(r.reports))
	}
}

// A subscription is confirmed when it is ours, signed, and asks nothing but the
// topic's own region.
func TestSESSubscription(t *testing.T) {
	const good = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=x"
	for url, want := range map[string]int{
		good:                                    http.StatusOK,
		"http://sns.eu-west-1.amazonaws.com/":   http.StatusForbidden,
		"https://169.254.169.254/latest/":       http.StatusForbidden,
		"https://sns.us-east-1.amazonaws.com/":  http.StatusForbidden,
		"https://x@sns.eu-west-1.amazonaws.com": http.StatusForbidden,
	} {
		var r recorder
		a := newAmazon(t, now.AddDate(1, 0, 0))
		h := hearing(t, &r, a)
		ask := func(n *notification) { n.Type, n.Token, n.SubscribeURL = "SubscriptionConfirmation", "x", url }
		r.refuses(t, url, post(h, a.notify("please", ask, nil)), want)
		if confirmed := len(a.fetched) == 2 && a.fetched[1] == good; confirmed != (want == http.StatusOK) {
			t.Errorf("%s: fetched %q", url, a.fetched)
		}
		fetched := len(a.fetched)
		r.refuses(t, "forged", post(h, a.notify("please", ask, func(n *notification) { n.Token = "y" })), http.StatusForbidden)
		if len(a.fetched) != fetched {
			t.Error("a forged confirmation was obeyed")
		}
	}
}

// A topic is named by its ARN, which says where its signatures come from.
func TestSESTopics(t *testing.T) {
	for _, arns := range [][]string{nil, {""}, {"bounces"}, {"arn:aws:sqs:eu-west-1:1:x"}, {"arn:aws:sns:evil.example/:1:x"}, {"arn:aws:sns::1:x"}} {
		if _, err := newTopics(arns, nil); err == nil {
			t.Errorf("%q is taken", arns)
		}
	}
	topics, err := newTopics([]string{"arn:aws-cn:sns:cn-north-1:1:x", "arn:aws-us-gov:sns:us-gov-west-1:1:y"}, nil)
	if err != nil || topics.hosts["arn:aws-cn:sns:cn-north-1:1:x"] != "sns.cn-north-1.amazonaws.com.cn" ||
		topics.hosts["arn:aws-us-gov:sns:us-gov-west-1:1:y"] != "sns.us-gov-west-1.amazonaws.com" {
		t.Error(topics.hosts, err)
	}
}
