package webhook

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/bounce"
)

func publicKey(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

func newKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signed is the header of a request that SendGrid would make.
func signed(t *testing.T, key *ecdsa.PrivateKey, at time.Time, body string) []string {
	t.Helper()
	stamp := strconv.FormatInt(at.Unix(), 10)
	sum := sha256.Sum256([]byte(stamp + body))
	signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"X-Twilio-Email-Event-Webhook-Signature", base64.StdEncoding.EncodeToString(signature),
		"X-Twilio-Email-Event-Webhook-Timestamp", stamp,
	}
}

// Events that say something of a mailbox are heard, in their order; others are
// not, and one with odd fields loses nothing else.
func TestSendGrid(t *testing.T) {
	var r recorder
	key := newKey(t, elliptic.P256())
	h, err := SendGrid(r.options(), publicKey(t, key.Public()))
	if err != nil {
		t.Fatal(err)
	}
	body := `[
		{"email":"ann@recipient.example","timestamp":1795348800,"smtp-id":"<k3v9.77@sender.example>","event":"bounce","type":"bounce","status":"5.1.1",
			"reason":"550 5.1.1 unknown user","sg_event_id":"e1","sg_message_id":"m1"},
		{"event":"delivered","response":"250 OK","sg_event_id":"e2"},
		{"event":"bounce","type":"blocked","status":"5.0.0","reason":"550 no","sg_event_id":"e3"},
		{"event":"bounce","type":"bounce","status":"","reason":"","sg_event_id":"e4"},
		{"event":"bounce","type":"blocked","status":"5.2.2","reason":"552 5.2.2 mailbox full","sg_event_id":"e5"},
		{"event":"dropped","reason":"Bounced Address","sg_event_id":"e6"},
		{"event":"dropped","reason":"Spam Content","sg_event_id":"e7"},
		{"event":"deferred","response":"451 4.7.1 try later","attempt":"5","sg_event_id":"e8"},
		{"event":"spamreport","email":"ann@recipient.example","sg_event_id":"e9"},
		{"event":"open","useragent":"x","sg_event_id":"e10","type":{"odd":1}}
	]`
	if got := post(h, body, signed(t, key, now, body)...); got != http.StatusOK {
		t.Fatal(got)
	}
	r.is(t,
		plain{ID: "sendgrid-e1", Kind: bounce.Hard, Status: "5.1.1", MessageID: "k3v9.77@sender.example", Recipient: "ann@recipient.example", Says: "550 5.1.1 unknown user"},
		plain{ID: "sendgrid-e3", Kind: bounce.Block, Status: "5.0.0", Says: "550 no"},
		plain{ID: "sendgrid-e4", Kind: bounce.Hard},
		plain{ID: "sendgrid-e5", Kind: bounce.Soft, Status: "5.2.2", Says: "552 5.2.2 mailbox full"},
		plain{ID: "sendgrid-e6", Kind: bounce.Hard, Says: "Bounced Address"},
		plain{ID: "sendgrid-e7", Kind: bounce.Block, Says: "Spam Content"},
		plain{ID: "sendgrid-e8", Kind: bounce.Delayed, Status: "4.7.1", Says: "451 4.7.1 try later"},
		plain{ID: "sendgrid-e9", Kind: bounce.Complaint, Feedback: "abuse", Recipient: "ann@recipient.example"},
	)
}

// What SendGrid did not sign, or signed long ago, is not heard.
func TestSendGridForged(t *testing.T) {
	var r recorder
	key, other := newKey(t, elliptic.P256()), newKey(t, elliptic.P256())
	h, err := SendGrid(r.options(), publicKey(t, key.Public()))
	if err != nil {
		t.Fatal(err)
	}
	body := `[{"event":"bounce","type":"bounce","email":"ann@recipient.example"}]`
	good := signed(t, key, now, body)
	later := append([]string(nil), good...)
	later[3] = strconv.FormatInt(now.Unix()+1, 10)
	for name, got := range map[string]int{
		"another body":      post(h, body+" ", good...),
		"another time":      post(h, body, later...),
		"another key":       post(h, body, signed(t, other, now, body)...),
		"no signature":      post(h, body),
		"no base64":         post(h, body, good[0], "%%", good[2], good[3]),
		"two days old":      post(h, body, signed(t, key, now.Add(-48*time.Hour), body)...),
		"an hour too early": post(h, body, signed(t, key, now.Add(time.Hour), body)...),
	} {
		r.refuses(t, name, got, http.StatusForbidden)
	}
	r.refuses(t, "no JSON", post(h, "[", signed(t, key, now, "[")...), http.StatusBadRequest)
	if got := post(h, body, signed(t, key, now.Add(-23*time.Hour), body)...); got != http.StatusOK {
		t.Error("a retry of yesterday is refused:", got)
	}
}

// Only a key that SendGrid could have is taken.
func TestSendGridKey(t *testing.T) {
	for name, key := range map[string]string{
		"nothing": "", "no base64": "%", "no key": "aGVsbG8=", "another curve": publicKey(t, newKey(t, elliptic.P384()).Public()),
	} {
		if _, err := SendGrid(Options{}, key); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
