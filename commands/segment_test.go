package commands_test

import (
	"testing"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/commands/commandtest"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
)

var (
	sendsOf  = domain.ID{0: 7}
	worker1  = domain.ID{0: 8}
	worker2  = domain.ID{0: 9}
	ann      = domain.ID{0: 1, 15: 1}
	bob      = domain.ID{0: 1, 15: 2}
	noon     = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	planned  = delivery.Planned{Campaign: sendsOf, First: 10, Subjects: delivery.Subjects{ann, bob}}
	claimed  = delivery.Claimed{Worker: worker1, Until: noon.Add(time.Minute)}
	placeA   = delivery.Recipient{Person: ann, Ordinal: 10}
	placeB   = delivery.Recipient{Person: bob, Ordinal: 11}
	intendA  = delivery.Intended{Campaign: sendsOf, Subjects: delivery.Subjects{ann}, Ordinals: []int{10}, Consents: []event.Position{3}}
	intendB  = delivery.Intended{Campaign: sendsOf, Subjects: delivery.Subjects{bob}, Ordinals: []int{11}, Consents: []event.Position{4}}
	intendAB = delivery.Intended{Campaign: sendsOf, Subjects: delivery.Subjects{ann, bob}, Ordinals: []int{10, 11}, Consents: []event.Position{3, 4}}
	acceptA  = delivery.Accepted{Campaign: sendsOf, Subjects: delivery.Subjects{ann}, Ordinals: []int{10}, Code: 250}
	acceptAB = delivery.Accepted{Campaign: sendsOf, Subjects: delivery.Subjects{ann, bob}, Ordinals: []int{10, 11}, Code: 250}
	deferA   = delivery.Deferred{Person: ann, Campaign: sendsOf, Ordinal: 10, Code: 451}
	failA    = delivery.Failed{Person: ann, Campaign: sendsOf, Ordinal: 10, Code: 550, Reason: delivery.Rejected}
	withholA = delivery.Withheld{Person: ann, Campaign: sendsOf, Ordinal: 10, Reason: delivery.Revoked}
	withholB = delivery.Withheld{Person: bob, Campaign: sendsOf, Ordinal: 11, Reason: delivery.NoConsent}
)

func segment(t *testing.T, past ...delivery.Event) commandtest.Case[delivery.Segment, delivery.Event] {
	return commandtest.Given[delivery.Segment, delivery.Event](t, past...)
}

// A segment is planned once, with somebody in it, and never otherwise.
func TestPlanSegment(t *testing.T) {
	plan := commands.PlanSegment{Campaign: sendsOf, Segment: 2, First: 10, Subjects: delivery.Subjects{ann, bob}}
	segment(t).When(plan).Then(planned)
	other := plan
	other.Subjects = delivery.Subjects{bob, ann}
	segment(t, planned).When(other).ThenRefused("already_exists")
	other.Subjects = nil
	segment(t).When(other).ThenRefused("segment_empty")
	other.Subjects = make(delivery.Subjects, delivery.MaxRecipients+1)
	segment(t).When(other).ThenRefused("segment_too_large")
}

// A claim needs a free segment that is not done; its holder renews and releases.
func TestClaimSegment(t *testing.T) {
	claim := commands.ClaimSegment{Campaign: sendsOf, Segment: 2, Worker: worker1, Until: claimed.Until, Now: noon}
	segment(t).When(claim).ThenRefused("segment_not_planned")
	segment(t, planned).When(claim).Then(claimed)

	renewal := claim
	renewal.Now, renewal.Until = noon.Add(30*time.Second), noon.Add(90*time.Second)
	segment(t, planned, claimed).When(renewal).Then(delivery.Claimed{Worker: worker1, Until: renewal.Until})
	release := claim
	release.Now, release.Until = noon.Add(time.Second), noon.Add(time.Second)
	segment(t, planned, claimed).When(release).Then(delivery.Claimed{Worker: worker1, Until: release.Until})

	rival := claim
	rival.Worker = worker2
	segment(t, planned, claimed).When(rival).ThenRefused("segment_claimed")
	rival.Now, rival.Until = claimed.Until, claimed.Until.Add(time.Minute)
	segment(t, planned, claimed).When(rival).Then(delivery.Claimed{Worker: worker2, Until: rival.Until})
	segment(t, planned, claimed, withholA, withholB).When(rival).ThenRefused("segment_done")
}

// Only the holder intends, only for recipients, and nobody whose fate is known.
func TestIntendSends(t *testing.T) {
	both := commands.IntendSends{Campaign: sendsOf, Segment: 2, Worker: worker1, Sends: []commands.IntendedSend{{Recipient: placeA, Consent: 3}, {Recipient: placeB, Consent: 4}}}
	segment(t).When(both).ThenRefused("segment_not_planned")
	segment(t, planned).When(both).ThenRefused("segment_not_held")
	segment(t, planned, claimed).When(both).Then(intendAB)
	segment(t, planned, claimed, intendA).When(both).Then(intendB)
	segment(t, planned, claimed, intendA, deferA).When(both).Then(intendAB)
	segment(t, planned, claimed, intendAB).When(both).ThenNothing()
	segment(t, planned, claimed, intendA, acceptA).When(both).ThenRefused("send_settled")
	segment(t, planned, claimed, withholA).When(both).ThenRefused("send_settled")
	segment(t, planned, claimed, intendA, delivery.Claimed{Worker: worker2}).When(both).ThenRefused("segment_not_held")

	stolen := both
	stolen.Worker = worker2
	segment(t, planned, claimed, intendA, delivery.Claimed{Worker: worker2}).When(stolen).ThenRefused("send_settled")
	stranger := both
	stranger.Sends = []commands.IntendedSend{{Recipient: delivery.Recipient{Person: bob, Ordinal: 10}}}
	segment(t, planned, claimed).When(stranger).ThenRefused("not_a_recipient")
	elsewhere := both
	elsewhere.Campaign = domain.ID{0: 70}
	segment(t, planned, claimed).When(elsewhere).ThenRefused("other_campaign")
}

// Who is withheld was not sent to, and stays withheld, an intent notwithstanding.
func TestWithholdSends(t *testing.T) {
	hold := commands.WithholdSends{Campaign: sendsOf, Segment: 2, Worker: worker1, Sends: []delivery.Withheld{withholA}}
	segment(t, planned).When(hold).ThenRefused("segment_not_held")
	segment(t, planned, claimed).When(hold).Then(withholA)
	segment(t, planned, claimed, intendA).When(hold).Then(withholA)
	segment(t, planned, claimed, intendA, deferA).When(hold).Then(withholA)
	segment(t, planned, claimed, intendA, acceptA).When(hold).ThenRefused("send_settled")
	stranger := hold
	stranger.Sends = []delivery.Withheld{{Person: ann, Campaign: sendsOf, Ordinal: 99}}
	segment(t, planned, claimed).When(stranger).ThenRefused("not_a_recipient")
}

// A result is of an intent, and the first one stands.
func TestRecordResults(t *testing.T) {
	record := func(results ...delivery.Result) commands.RecordResults {
		return commands.RecordResults{Campaign: sendsOf, Segment: 2, Worker: worker1, Results: results}
	}
	yes := delivery.Result{Recipient: placeA, To: delivery.Sent, Code: 250}
	later := delivery.Result{Recipient: placeA, To: delivery.Again, Code: 451}
	no := delivery.Result{Recipient: placeA, To: delivery.Undelivered, Code: 550, Reason: delivery.Rejected}
	segment(t, planned).When(record(yes)).ThenRefused("segment_not_held")
	segment(t, planned, claimed).When(record(yes)).ThenRefused("send_not_intended")
	segment(t, planned, claimed, intendA).When(record(delivery.Result{Recipient: placeA, To: delivery.InDoubt})).ThenRefused("not_a_result")
	segment(t, planned, claimed, intendA).When(record(yes)).Then(acceptA)
	segment(t, planned, claimed, intendA).When(record(later)).Then(deferA)
	segment(t, planned, claimed, intendA).When(record(no)).Then(failA)
	segment(t, planned, claimed, intendA, acceptA).When(record(yes)).ThenNothing()
	segment(t, planned, claimed, intendA, acceptA).When(record(no)).ThenRefused("send_settled")
	segment(t, planned, claimed, intendA, withholA).When(record(yes)).ThenRefused("send_settled")
	segment(t, planned, claimed, intendA, deferA).When(record(yes)).ThenRefused("send_not_intended")

	recalled := delivery.Deferred{Person: ann, Campaign: sendsOf, Ordinal: 10}
	segment(t, planned, claimed, intendA).When(record(delivery.Result{Recipient: placeA, To: delivery.Waiting})).Then(recalled)
	stranger := delivery.Result{Recipient: delivery.Recipient{Person: ann, Ordinal: 11}, To: delivery.Sent, Code: 250}
	segment(t, planned, claimed, intendA).When(record(stranger)).ThenRefused("not_a_recipient")
}

// What the same server said yes to is one event; every other answer has its own.
func TestRecordResultsTogether(t *testing.T) {
	yesB := delivery.Result{Recipient: placeB, To: delivery.Sent, Code: 250}
	both := commands.RecordResults{Campaign: sendsOf, Segment: 2, Worker: worker1, Results: []delivery.Result{
		{Recipient: placeA, To: delivery.Sent, Code: 250}, yesB,
	}}
	segment(t, planned, claimed, intendAB).When(both).Then(acceptAB)
	elsewhere := acceptAB
	elsewhere.Subjects, elsewhere.Ordinals, elsewhere.Server = delivery.Subjects{bob}, []int{11}, "second"
	both.Results[1].Server = "second"
	segment(t, planned, claimed, intendAB).When(both).Then(acceptA, elsewhere)
	both.Results = []delivery.Result{{Recipient: placeA, To: delivery.Again, Code: 451}, yesB}
	onlyB := acceptAB
	onlyB.Subjects, onlyB.Ordinals = delivery.Subjects{bob}, []int{11}
	segment(t, planned, claimed, intendAB).When(both).Then(onlyB, deferA)
}

// Who is in doubt when a resend is asked for gets their turn again, once for
// each asking; who has a result does not.
func TestReopenSegment(t *testing.T) {
	again := commands.ReopenSegment{Campaign: sendsOf, Segment: 2, Resend: 1}
	doubt := []delivery.Event{planned, claimed, intendA, intendB, acceptA, delivery.Claimed{Worker: worker2, Until: noon}}
	segment(t, doubt...).When(again).Then(delivery.Reopened{Resend: 1})
	segment(t, append(doubt, delivery.Reopened{Resend: 1})...).When(again).ThenNothing()
	more := append(doubt, delivery.Reopened{Resend: 1}, delivery.Claimed{Worker: worker1, Until: noon}, intendB,
		delivery.Claimed{Worker: worker2, Until: noon})
	segment(t, more...).When(again).ThenNothing()
	again.Resend = 2
	segment(t, more...).When(again).Then(delivery.Reopened{Resend: 2})
	segment(t, planned, claimed, intendA).When(again).ThenNothing()
	segment(t).When(again).ThenRefused("segment_not_planned")
}
