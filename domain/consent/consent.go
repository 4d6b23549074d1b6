// Package consent is what people agreed to, purpose by purpose, and how we know.
package consent

// A Purpose is one thing that a person can agree to or not (GDPR Art. 6(1)(a)).
// Mailing is per list; the others hold for the account as a whole. Names are stored.
type Purpose string

const (
	Mailing       Purpose = "mailing"
	OpenTracking  Purpose = "open_tracking"
	ClickTracking Purpose = "click_tracking"
	Profiling     Purpose = "profiling"
	PolicyNotices Purpose = "policy_notices"
)

// Purposes lists every purpose.
var Purposes = []Purpose{Mailing, OpenTracking, ClickTracking, Profiling, PolicyNotices}

// PerList reports whether consent to p is given list by list.
func (p Purpose) PerList() bool { return p == Mailing }

// A Method is how an answer reached us. Names are stored.
type Method string

const (
	ByForm        Method = "form"
	ByConfirmLink Method = "confirm_link"
	ByAPI         Method = "api"
	ByImport      Method = "import"
	ByOneClick    Method = "one_click" // RFC 8058
	ByUnsubscribe Method = "unsubscribe_page"
	ByDataRequest Method = "data_request"
)
