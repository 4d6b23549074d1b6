package commands_test

import (
	"strconv"
	"strings"
	"testing"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

var (
	receipt = message.Requested{
		Kind: message.Transactional, Template: three, TemplateRevision: 2, SHA256: digest, FromName: "Zoë of ACME", FromEmail: "shop@example.org",
		ReplyTo: "help@example.org", To: mail, Name: name, Variables: personal.FieldsOf(map[string]string{"order": "17\nbooks"}),
	}
	trial = asking(func(r *message.Requested) { r.Kind, r.Campaign = message.Test, two })

	ask      = RequestMessage{one, ada, receipt}
	intend   = IntendMessage{one, ada, two}
	intended = message.Intended{Worker: two}
	taken    = message.Accepted{Code: 250}
	later    = message.Deferred{Code: 451, Enhanced: "4.7.1", Reply: text("not now")}
	refusal  = message.Failed{Code: 550, Enhanced: "5.1.1", Reason: delivery.Rejected}
	doubtful = message.LeftInDoubt{}
	kept     = message.Withheld{Reason: delivery.Suppressed}

	// Where a message can stand.
	queued   = messagePast{receipt}
	flying   = messagePast{receipt, intended}
	put      = messagePast{receipt, intended, later}
	done     = messagePast{receipt, intended, taken}
	unknown  = messagePast{receipt, intended, doubtful}
	withheld = messagePast{receipt, kept}
)

func asking(change func(*message.Requested)) message.Requested { r := receipt; change(&r); return r }

func TestAddAddressee(t *testing.T) {
	addressee := AddAddressee{Person: ada, Email: mail}
	known := subscriber.Added{Email: mail, Source: subscriber.SourceMessage}
	full := subscriber.Rectified{Email: mail, Name: name, Attributes: city, Source: subscriber.SourceAPI}
	check(t, []subscriberRow{
		{name: "holds the address", when: addressee, then: subscriberPast{known}},
		{name: "of who is held it says nothing", given: subscriberPast{added}, when: AddAddressee{Person: ada, Email: text("x@example.org")}},
		{name: "erased", given: subscriberPast{added, gone}, when: addressee, refused: "subject_erased"},
		{name: "no address", when: AddAddressee{Person: ada}, refused: "bad_address"},
		{name: "added in earnest later", given: subscriberPast{known}, when: add, then: subscriberPast{full, onOne}},
		{name: "added in earnest with nothing but the address", given: subscriberPast{known},
			when: AddSubscriber{Person: ada, Email: mail, List: one, Source: subscriber.SourceForm}, then: subscriberPast{onOne}},
		{name: "once in earnest, it takes a correction", given: subscriberPast{known, full}, refused: "already_exists",
			when: AddSubscriber{Person: ada, Email: mail, Name: text("Bob"), Source: subscriber.SourceAPI}},
	})
}

func TestRequestMessage(t *testing.T) {
	newer := RequestMessage{one, ada, asking(func(r *message.Requested) { r.TemplateRevision, r.SHA256 = 3, otherDigest })}
	check(t, []messageRow{
		{name: "asks for a message", when: ask, then: queued},
		{name: "asks for a test", when: RequestMessage{one, ada, trial}, then: messagePast{trial}},
		{name: "asked twice", given: queued, when: ask},
		{name: "asked again when it is sent", given: done, when: ask},
		{name: "asked again when the template has changed: it is sent as it was", given: queued, when: newer},
		{name: "about nobody", when: RequestMessage{Message: one, Request: receipt}, refused: "person_required"},
	})
	for what, c := range map[string]struct {
		change  func(*message.Requested)
		refused string
	}{
		"no such kind":        {func(r *message.Requested) { r.Kind = "spam" }, "unknown_kind"},
		"a test of nothing":   {func(r *message.Requested) { r.Kind = message.Test }, "campaign_not_expected"},
		"a receipt of a test": {func(r *message.Requested) { r.Campaign = two }, "campaign_not_expected"},
		"no template":         {func(r *message.Requested) { r.Template = domain.ID{} }, "template_revision_required"},
		"no revision":         {func(r *message.Requested) { r.TemplateRevision = 0 }, "template_revision_required"},
		"no digest":           {func(r *message.Requested) { r.SHA256 = "" }, "bad_digest"},
		"no address":          {func(r *message.Requested) { r.To = text("") }, "bad_address"},
		"a sealed address":    {func(r *message.Requested) { r.To = personal.SealedText([]byte("x")) }, "bad_text"},
		"a sealed name":       {func(r *message.Requested) { r.Name = personal.SealedText([]byte("x")) }, "bad_text"},
		"a name of two lines": {func(r *message.Requested) { r.Name = text("a\nb") }, "bad_text"},
		"no sender":           {func(r *message.Requested) { r.FromEmail = "" }, "bad_address"},
		"an injected sender":  {func(r *message.Requested) { r.FromName = "a\r\nBcc: x@example.org" }, "bad_text"},
		"replies to nobody":   {func(r *message.Requested) { r.ReplyTo = "nobody" }, "bad_address"},
		"sealed variables":    {func(r *message.Requested) { r.Variables = personal.SealedFields([]byte("x")) }, "bad_text"},
		"a nameless variable": {func(r *message.Requested) { r.Variables = variable("", "x") }, "too_many_variables"},
		"a long-named one":    {func(r *message.Requested) { r.Variables = variable(strings.Repeat("n", 65), "x") }, "too_many_variables"},
		"a variable of 17 kB": {func(r *message.Requested) { r.Variables = variable("order", strings.Repeat("x", 16<<10+1)) }, "too_many_variables"},
		"a variable with NUL": {func(r *message.Requested) { r.Variables = variable("order", "\x00") }, "bad_text"},
		"a name with a NUL":   {func(r *message.Requested) { r.Variables = variable("a\x00", "x") }, "bad_text"},
		"fifty-one variables": {func(r *message.Requested) { r.Variables = numbered(51) }, "too_many_variables"},
	} {
		bad := asking(c.change)
		check(t, []messageRow{
			{name: what, when: RequestMessage{one, ada, bad}, refused: c.refused},
			{name: "another request by this name: " + what, given: messagePast{asking(func(r *message.Requested) { r.Name = text("Bob") })}, when: RequestMessage{one, ada, bad}, refused: "already_exists"},
		})
	}
	many := asking(func(r *message.Requested) { r.Variables = numbered(50) })
	check(t, []messageRow{{name: "fifty variables", when: RequestMessage{one, ada, many}, then: messagePast{many}}})
}

func variable(name, value string) personal.Fields {
	return personal.FieldsOf(map[string]string{name: value})
}

func numbered(n int) personal.Fields {
	m := map[string]string{}
	for i := range n {
		m[strconv.Itoa(i)] = "x"
	}
	return personal.FieldsOf(m)
}

func TestIntendMessage(t *testing.T) {
	check(t, []messageRow{
		{name: "says that it is about to leave", given: queued, when: intend, then: messagePast{intended}},
		{name: "again after a deferral", given: put, when: intend, then: messagePast{intended}},
		{name: "asked twice", given: flying, when: intend},
		{name: "no such message", when: intend, refused: "not_found"},
		{name: "another worker has it", given: flying, when: IntendMessage{one, ada, three}, refused: "message_in_flight"},
		{name: "nobody's", given: queued, when: IntendMessage{Message: one, Person: ada}, refused: "message_not_intended"},
		{name: "sent", given: done, when: intend, refused: "message_settled"},
		{name: "withheld", given: withheld, when: intend, refused: "message_settled"},
		{name: "in doubt: never again in silence", given: unknown, when: intend, refused: "message_settled"},
	})
}

func TestRecordMessageResult(t *testing.T) {
	result := func(e message.Event) RecordMessageResult { return RecordMessageResult{one, ada, two, e} }
	for _, e := range []message.Event{taken, later, refusal, doubtful, message.Deferred{}} {
		check(t, []messageRow{
			{name: "records what became of it", given: flying, when: result(e), then: messagePast{e}},
			{name: "was never intended", given: queued, when: result(e), refused: "message_not_intended"},
			{name: "another intended it", given: flying, when: RecordMessageResult{one, ada, three, e}, refused: "message_not_intended"},
			{name: "nobody's", given: queued, when: RecordMessageResult{Message: one, Person: ada, Result: e}, refused: "message_not_intended"},
			{name: "no such message", when: result(e), refused: "not_found"},
		})
	}
	check(t, []messageRow{
		{name: "asked twice", given: done, when: result(taken)},
		{name: "the first result stands", given: done, when: result(refusal), refused: "message_settled"},
		{name: "who was taken for dead knows after all", given: unknown, when: result(taken), then: messagePast{taken}},
		{name: "who was taken for dead comes too late", given: messagePast{receipt, intended, doubtful, message.ResendRequested{}}, when: result(taken), refused: "message_not_intended"},
		{name: "no result", given: flying, when: result(intended), refused: "message_not_intended"},
	})
}

func TestWithholdMessage(t *testing.T) {
	withhold := WithholdMessage{one, ada, two, delivery.Suppressed}
	check(t, []messageRow{
		{name: "withholds", given: queued, when: withhold, then: messagePast{kept}},
		{name: "withholds what was deferred", given: put, when: withhold, then: messagePast{kept}},
		{name: "cancels an intent", given: flying, when: withhold, then: messagePast{kept}},
		{name: "asked twice", given: withheld, when: withhold},
		{name: "another's intent", given: flying, when: WithholdMessage{one, ada, three, delivery.Erased}, refused: "message_in_flight"},
		{name: "sent", given: done, when: withhold, refused: "message_settled"},
		{name: "no such message", when: withhold, refused: "not_found"},
		{name: "for no consent, which it takes none of", given: queued, when: WithholdMessage{one, ada, two, delivery.NoConsent}, refused: "unknown_reason"},
	})
}

func TestResendMessage(t *testing.T) {
	resend, again := ResendMessage{one, ada}, message.ResendRequested{}
	check(t, []messageRow{
		{name: "queues it again", given: unknown, when: resend, then: messagePast{again}},
		{name: "asked twice", given: append(unknown, again), when: resend},
		{name: "asked while it is being sent anew", given: append(unknown, again, message.Intended{Worker: three}), when: resend},
		{name: "it was sent", given: done, when: resend, refused: "message_not_unknown"},
		{name: "it was never sent", given: queued, when: resend, refused: "message_not_unknown"},
		{name: "no such message", when: resend, refused: "not_found"},
	})
}
