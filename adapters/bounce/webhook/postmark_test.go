package webhook

import (
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/cleversender/cleversender/adapters/bounce"
)

const password = "correct-horse-battery"

var authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte("hook:"+password))

const hardBounce = `{"RecordType":"Bounce","ID":42,"Type":"HardBounce","TypeCode":1,"Name":"Hard bounce","MessageID":"883953f4",
	"Description":"unknown user","Details":"smtp;550 5.1.1 <ann@recipient.example> user unknown","Email":"ann@recipient.example",
	"From":"letter@sender.example","BouncedAt":"2026-11-22T10:00:00Z","Metadata":{"user_id":43,"message_id":"<k3v9.77@sender.example>"}}`

// Each type says what Postmark means by it.
func TestPostmark(t *testing.T) {
	var r recorder
	h, err := Postmark(r.options(), "hook", password)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		hardBounce,
		`{"RecordType":"SpamComplaint","ID":43,"Type":"SpamComplaint","Email":"ann@recipient.example","Metadata":{"message_id":"x@sender.example"}}`,
		`{"RecordType":"Bounce","ID":44,"Type":"Blocked","Details":"550 5.7.1 spam","Content":"From: a@x.example\r\nIn-Reply-To: <y@sender.example>\r\n\r\nx"}`,
		`{"RecordType":"Bounce","ID":45,"Type":"AutoResponder"}`,
		`{"RecordType":"Bounce","ID":46,"Type":"NewType"}`,
		`{"RecordType":"Delivery","MessageID":"883953f4"}`,
	} {
		if got := post(h, body, "Authorization", authorization); got != http.StatusOK {
			t.Errorf("%s: %d", body, got)
		}
	}
	r.is(t,
		plain{ID: "postmark-42", Kind: bounce.Hard, Status: "5.1.1", MessageID: "k3v9.77@sender.example", Recipient: "ann@recipient.example",
			Says: "smtp;550 5.1.1 <ann@recipient.example> user unknown"},
		plain{ID: "postmark-43", Kind: bounce.Complaint, Feedback: "abuse", MessageID: "x@sender.example", Recipient: "ann@recipient.example"},
		plain{ID: "postmark-44", Kind: bounce.Block, Status: "5.7.1", MessageID: "y@sender.example", Says: "550 5.7.1 spam"},
		plain{ID: "postmark-45", Kind: bounce.AutoReply},
		plain{ID: "postmark-46", Kind: bounce.Unknown},
	)
}

// Without the user and the password, nothing is heard.
func TestPostmarkPassword(t *testing.T) {
	var r recorder
	h, err := Postmark(r.options(), "hook", password)
	if err != nil {
		t.Fatal(err)
	}
	basic := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, a := range []string{"", "Bearer x", basic("hook:wrong"), basic("other:" + password), basic("hook:"), basic(":")} {
		r.refuses(t, a, post(h, hardBounce, "Authorization", a), http.StatusUnauthorized)
	}
	for _, c := range [][2]string{{"", password}, {"hook", ""}, {"hook", "short"}} {
		if _, err := Postmark(r.options(), c[0], c[1]); err == nil {
			t.Errorf("%q is taken for a user and a password", c)
		}
	}
}
