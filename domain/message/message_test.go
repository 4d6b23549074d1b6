package message_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	. "github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
)

// A message stands where its last event left it, and counts what it went through.
func TestStatus(t *testing.T) {
	var now Message
	worker := domain.ID{7}
	for _, c := range []struct {
		event  Event
		status Status
		due    bool
	}{
		{Requested{Kind: Transactional, FromEmail: "shop@example.org"}, Waiting, true},
		{Intended{worker}, Pending, false},
		{Deferred{Code: 451}, Again, true},
		{Deferred{}, Again, true},
		{LeftInDoubt{}, InDoubt, false},
		{ResendRequested{}, Waiting, true},
		{Withheld{Reason: delivery.Erased}, Excluded, false},
		{Failed{Code: 550}, Undelivered, false},
		{Accepted{Code: 250}, Sent, false},
	} {
		now = now.Evolve(c.event)
		if now.Status != c.status || now.Status.Due() != c.due {
			t.Errorf("after %T: %+v", c.event, now)
		}
	}
	if now.Requested.FromEmail != "shop@example.org" || now.Worker != worker || now.Tries != 1 || now.Knocks != 1 || now.Resends != 1 {
		t.Errorf("in the end: %+v", now)
	}
}

// Each outcome is recorded as what is known of it, with no more of the server's
// words than are kept.
func TestJudge(t *testing.T) {
	words := strings.Repeat("w", delivery.MaxReply)
	kept := personal.Of(words)
	reply := func(o delivery.Outcome, code int) delivery.Reply {
		return delivery.Reply{Outcome: o, Code: code, Enhanced: "x.y.z", Text: words + "more", Server: "relay"}
	}
	twice := Message{Tries: 2}
	for _, c := range []struct {
		of    Message
		reply delivery.Reply
		want  Event
	}{
		{twice, reply(delivery.Taken, 250), Accepted{250, "relay"}},
		{twice, reply(delivery.NotNow, 451), Deferred{451, "x.y.z", kept, "relay"}},
		{Message{Tries: 3}, reply(delivery.NotNow, 451), Failed{451, "x.y.z", delivery.Unreachable, kept, "relay"}},
		{Message{Tries: 9}, reply(delivery.NotNow, 0), Deferred{}},
		{twice, reply(delivery.Never, 550), Failed{550, "x.y.z", delivery.Rejected, kept, "relay"}},
		{Message{Tries: 9}, reply(delivery.NotSent, 0), Deferred{}},
		{twice, reply(delivery.NotMade, 0), Failed{Reason: delivery.BadTemplate}},
		{twice, reply(delivery.NotReached, 0), Failed{Reason: delivery.Unreachable}},
		{twice, reply(delivery.Unclear, 0), LeftInDoubt{}},
	} {
		if got := c.of.Judge(c.reply, 4); !reflect.DeepEqual(got, c.want) {
			t.Errorf("outcome %d: got %+v, want %+v", c.reply.Outcome, got, c.want)
		}
	}
}
