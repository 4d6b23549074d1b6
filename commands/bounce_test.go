package commands_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

const day = 24 * time.Hour

var (
	dead     = bounce.Received{Campaign: one, Ordinal: 7, Kind: bounce.Hard, Status: "5.1.1", Source: bounce.Intake, At: noon, Diagnostic: text("no such user")}
	unwanted = bounce.Complained{Campaign: one, Ordinal: 7, Feedback: "abuse", Source: bounce.SES, At: noon}

	gaveUp  = subscriber.Suppressed{Reason: subscriber.HardBounce}
	tooFull = subscriber.Suppressed{Reason: subscriber.SoftBounces}

	elsewhere = subscriber.Rectified{Email: text("ada@elsewhere.example"), Name: name, Source: subscriber.SourceAPI}

	recordHard = RecordBounce{
		Person: ada, Letter: dead.Letter(), Kind: bounce.Hard, Status: "5.1.1", Source: bounce.Intake, At: noon, Diagnostic: text("no such user"),
		Policy: bounce.DefaultPolicy,
	}
	recordComplaint = RecordComplaint{Person: ada, Letter: dead.Letter(), Feedback: "abuse", Source: bounce.SES, At: noon}
)

// full is a soft bounce of the n-th campaign's message.
func full(n byte, after time.Duration) bounce.Received {
	return bounce.Received{Campaign: domain.ID{n}, Kind: bounce.Soft, Source: bounce.SMTP, At: noon.Add(after)}
}

func record(e bounce.Received) RecordBounce {
	return RecordBounce{ada, e.Letter(), e.Kind, e.Status, e.Source, e.At, e.Diagnostic, bounce.DefaultPolicy}
}

func TestRecordBounce(t *testing.T) {
	with := func(change func(*RecordBounce)) RecordBounce { c := recordHard; change(&c); return c }
	kind := func(k bounce.Kind) RecordBounce { return with(func(c *RecordBounce) { c.Kind = k }) }
	blocked, away := dead, dead
	blocked.Kind, away.Kind = bounce.Block, bounce.AutoReply
	softLate := full(1, 0)
	softLate.Campaign, softLate.Ordinal = one, 7
	check(t, []subscriberRow{
		{name: "a hard one suppresses at once", given: member(), when: recordHard, then: subscriberPast{dead, gaveUp}},
		{name: "reported twice", given: member(dead, gaveUp), when: recordHard},
		{name: "reported by another", given: member(dead, gaveUp), when: with(func(c *RecordBounce) { c.Source, c.Status, c.At = bounce.SES, "", tonight })},
		{name: "suppressed for it already", given: member(gaveUp), when: recordHard, then: subscriberPast{dead}},
		{name: "suppressed by hand", given: member(subscriber.Suppressed{Reason: subscriber.Manual}), when: recordHard, then: subscriberPast{dead, gaveUp}},
		{name: "a report from before it was settled", given: member(dead, gaveUp, settled), when: recordHard},
		{name: "hard after soft", given: member(softLate), when: recordHard, then: subscriberPast{dead, gaveUp}},
		{name: "a block never suppresses", given: member(), when: kind(bounce.Block), then: subscriberPast{blocked}},
		{name: "nor does an automatic reply", given: member(full(1, 0), full(2, day)), when: kind(bounce.AutoReply), then: subscriberPast{away}},
		{name: "a message of its own", given: member(dead), when: with(func(c *RecordBounce) { c.Kind, c.Letter = bounce.Block, bounce.Letter{Message: two} }), then: subscriberPast{
			bounce.Received{Message: two, Kind: bounce.Block, Status: "5.1.1", Source: bounce.Intake, At: noon, Diagnostic: text("no such user")},
		}},
		{name: "while restricted", given: member(restricted), when: recordHard},
		{name: "no such kind", given: member(), when: kind("whim"), refused: "unknown_bounce_kind"},
		{name: "no such source", given: member(), when: with(func(c *RecordBounce) { c.Source = "telepathy" }), refused: "unknown_source"},
		{name: "of no message", given: member(), when: with(func(c *RecordBounce) { c.Letter = bounce.Letter{} }), refused: "bad_report"},
		{name: "of two", given: member(), when: with(func(c *RecordBounce) { c.Letter.Message = two }), refused: "bad_report"},
		{name: "of nobody's", given: member(), when: with(func(c *RecordBounce) { c.Letter.Ordinal = -1 }), refused: "bad_report"},
		{name: "a status that is a novel", given: member(), when: with(func(c *RecordBounce) { c.Status = long }), refused: "text_too_long"},
		{name: "nobody", when: recordHard, refused: "not_found"},
		{name: "erased", given: subscriberPast{added, gone}, when: recordHard, refused: "subject_erased"},
	})
}

func TestSoftBounces(t *testing.T) {
	third := record(full(3, 30*day))
	check(t, []subscriberRow{
		{name: "the first", given: member(), when: record(full(1, 0)), then: subscriberPast{full(1, 0)}},
		{name: "the third within thirty days", given: member(full(1, 0), full(2, day)), when: third, then: subscriberPast{full(3, 30*day), tooFull}},
		{name: "the third a moment later", given: member(full(1, -1), full(2, day)), when: third, then: subscriberPast{full(3, 30*day)}},
		{name: "one message is one, however often", given: member(full(1, 0), full(2, day)), when: record(full(2, 2*day))},
		{name: "the third is the earliest", given: member(full(1, 0), full(2, day)), when: record(full(3, -29*day)), then: subscriberPast{full(3, -29*day), tooFull}},
		{name: "settled since", given: member(full(1, 0), full(2, day), tooFull, subscriber.Unsuppressed{Reason: subscriber.SoftBounces}), when: third, then: subscriberPast{full(3, 30*day)}},
		{name: "another reason settled since", given: member(full(1, 0), full(2, day), gaveUp, settled), when: third, then: subscriberPast{full(3, 30*day), tooFull}},
		{name: "another address since", given: member(full(1, 0), full(2, day), elsewhere), when: third, then: subscriberPast{full(3, 30*day)}},
		{name: "another name since", given: member(full(1, 0), full(2, day), moved), when: third, then: subscriberPast{full(3, 30*day), tooFull}},
		{name: "the fourth", given: member(full(1, 0), full(2, 0), full(3, 0), tooFull), when: record(full(4, 0)), then: subscriberPast{full(4, 0)}},
	})
}

func TestRecordComplaint(t *testing.T) {
	with := func(change func(*RecordComplaint)) RecordComplaint { c := recordComplaint; change(&c); return c }
	check(t, []subscriberRow{
		{name: "suppresses at once", given: member(given), when: recordComplaint, then: subscriberPast{unwanted, complained}},
		{name: "twice", given: member(unwanted, complained), when: with(func(c *RecordComplaint) { c.Feedback, c.Source = "", bounce.Intake })},
		{name: "of a message that bounced", given: member(dead, gaveUp), when: recordComplaint, then: subscriberPast{unwanted, complained}},
		{name: "while restricted", given: member(restricted), when: recordComplaint, then: subscriberPast{unwanted, complained}},
		{name: "complained before", given: member(complained), when: recordComplaint, then: subscriberPast{unwanted}},
		{name: "of no message", given: member(), when: with(func(c *RecordComplaint) { c.Letter = bounce.Letter{} }), refused: "bad_report"},
		{name: "no such source", given: member(), when: with(func(c *RecordComplaint) { c.Source = "" }), refused: "unknown_source"},
		{name: "a type of many lines", given: member(), when: with(func(c *RecordComplaint) { c.Feedback = "a\nb" }), refused: "bad_text"},
		{name: "nobody", when: recordComplaint, refused: "not_found"},
		{name: "erased", given: subscriberPast{added, gone}, when: recordComplaint, refused: "subject_erased"},
	})
}

// A server's words are kept, cut where they are too long.
func TestDiagnosticIsCut(t *testing.T) {
	c := recordHard
	c.Diagnostic = personal.Of(long + "\x00")
	events, err := c.Decide(fold(subscriber.Subscriber{}, member()))
	if err != nil {
		t.Fatal(err)
	}
	if words, _ := events[0].(bounce.Received).Diagnostic.Reveal(); words != long[:500] {
		t.Error(len(words))
	}
}

// Whatever is reported, in whatever order and however often: the person is
// suppressed for exactly the reasons that the reports give as a whole.
func TestSuppressionFollowsPolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := bounce.Policy{Softs: rapid.IntRange(1, 4).Draw(t, "softs"), Within: time.Duration(rapid.IntRange(0, 6).Draw(t, "days")) * day}
		reports := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) bounce.Received {
			kind := rapid.SampledFrom(append(bounce.Kinds, bounce.Soft, bounce.Soft, bounce.Soft)).Draw(t, "kind")
			return bounce.Received{
				Campaign: domain.ID{1}, Ordinal: rapid.IntRange(0, 30).Draw(t, "ordinal"), Kind: kind, Source: bounce.SMTP,
				At: noon.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "day")) * day),
			}
		}), 0, 12, func(e bounce.Received) any { return [2]any{e.Letter(), e.Kind} }).Draw(t, "reports")
		again := rapid.SliceOfN(rapid.SampledFrom(append(reports, full(9, 0))), 0, 5).Draw(t, "again")
		s := fold(subscriber.Subscriber{}, member())
		for _, e := range rapid.Permutation(append(reports, again...)).Draw(t, "order") {
			c := record(e)
			c.Policy = policy
			events, err := c.Decide(s)
			if err != nil {
				t.Fatal(err)
			}
			s = fold(s, events)
		}
		hard, soft := expected(append(reports, again...), policy)
		if s.Standing.Has(subscriber.HardBounce) != hard || s.Standing.Has(subscriber.SoftBounces) != soft {
			t.Fatalf("%v; want hard %v, soft %v", s.Standing, hard, soft)
		}
	})
}

// expected says it the long way: day by day, who bounced within the days since.
func expected(reports []bounce.Received, p bounce.Policy) (hard, soft bool) {
	for _, first := range reports {
		hard = hard || first.Kind == bounce.Hard
		letters := map[bounce.Letter]bool{}
		for _, e := range reports {
			if since := e.At.Sub(first.At); e.Kind == bounce.Soft && since >= 0 && since <= p.Within {
				letters[e.Letter()] = true
			}
		}
		soft = soft || len(letters) >= p.Softs
	}
	return hard, soft
}
