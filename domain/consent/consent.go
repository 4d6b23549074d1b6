// Package consent is what people agreed to, purpose by purpose, and how we know.
package consent

import "slices"

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

// Known reports whether p is one of Purposes.
func (p Purpose) Known() bool { return slices.Contains(Purposes, p) }

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

// Methods lists every method.
var Methods = []Method{ByForm, ByConfirmLink, ByAPI, ByImport, ByOneClick, ByUnsubscribe, ByDataRequest}

// Known reports whether m is one of Methods.
func (m Method) Known() bool { return slices.Contains(Methods, m) }

// FirstHand reports whether a yes can reach us this way from the person: a
// file is the account's word.
func (m Method) FirstHand() bool { return m.Known() && m != ByImport }
