package commands_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
)

// engine is a worker as the log sees it: what it believes, which may be old.
type engine struct {
	worker   domain.ID
	state    delivery.Segment
	revision int
	inFlight []delivery.Recipient // intended by it, result not recorded
}

// shop is a segment's stream, the workers at it, and who was sent a message.
type shop struct {
	stream  []delivery.Event
	engines []*engine
	clock   time.Time
	claims  int
	sent    map[int]int // by ordinal, what a server has taken
}

const shopSize = 6

// do appends as a log does: at the expected revision, or not at all.
func (s *shop) do(t *rapid.T, e *engine, c commands.Command[delivery.Segment, delivery.Event]) bool {
	decided, err := c.Decide(e.state)
	if err != nil || e.revision != len(s.stream) {
		return false
	}
	for _, d := range decided {
		s.check(t, d)
		s.stream = append(s.stream, d)
		e.state = e.state.Evolve(d)
	}
	e.revision = len(s.stream)
	return len(decided) > 0
}

// check: what a stream must never say.
func (s *shop) check(t *rapid.T, e delivery.Event) {
	now := s.now()
	if d, ok := e.(delivery.Intended); ok {
		for i, ordinal := range d.Ordinals {
			at, _ := now.Of(ordinal, d.Subjects[i])
			if at != delivery.Waiting && at != delivery.Again {
				t.Fatalf("ordinal %d intended while %v", ordinal, at)
			}
		}
	}
	if d, ok := e.(delivery.Withheld); ok && s.sent[d.Ordinal] > 0 {
		t.Fatalf("ordinal %d withheld after it was sent", d.Ordinal)
	}
}

func (s *shop) now() delivery.Segment {
	var now delivery.Segment
	for _, e := range s.stream {
		now = now.Evolve(e)
	}
	return now
}

func (s *shop) load(e *engine) { e.state, e.revision, e.inFlight = s.now(), len(s.stream), nil }

// step lets one worker do one thing that a worker may do.
func (s *shop) step(t *rapid.T) {
	e := s.engines[rapid.IntRange(0, len(s.engines)-1).Draw(t, "who")]
	switch rapid.SampledFrom([]string{"claim", "intend", "withhold", "send", "crash", "wait"}).Draw(t, "what") {
	case "claim":
		s.load(e)
		s.claims++
		e.worker = domain.ID{0: 100, 15: byte(s.claims)}
		s.do(t, e, commands.ClaimSegment{Campaign: sendsOf, Worker: e.worker, Until: s.clock.Add(time.Minute), Now: s.clock})
	case "intend":
		var sends []commands.IntendedSend
		turn := next(e.state, rapid.IntRange(1, 3).Draw(t, "chunk"))
		for _, r := range turn {
			sends = append(sends, commands.IntendedSend{Recipient: r})
		}
		if s.do(t, e, commands.IntendSends{Campaign: sendsOf, Worker: e.worker, Sends: sends}) {
			e.inFlight = append(e.inFlight, turn...)
		}
	case "withhold":
		who := slices.Concat(e.inFlight, next(e.state, 1))
		if len(who) == 0 {
			return
		}
		s.do(t, e, commands.WithholdSends{Campaign: sendsOf, Worker: e.worker, Sends: []delivery.Withheld{
			{Person: who[0].Person, Campaign: sendsOf, Ordinal: who[0].Ordinal, Reason: delivery.Revoked},
		}})
		e.inFlight = slices.DeleteFunc(e.inFlight, func(r delivery.Recipient) bool { return r == who[0] })
	case "send": // a worker that has lost the segment unawares sends all the same
		if len(e.inFlight) == 0 {
			return
		}
		r := e.inFlight[0]
		e.inFlight = e.inFlight[1:]
		reply := delivery.Reply{Outcome: rapid.SampledFrom([]delivery.Outcome{
			delivery.Taken, delivery.Unclear, delivery.NotNow, delivery.Never, delivery.NotSent, delivery.NotMade,
		}).Draw(t, "reply"), Code: 451}
		if reply.Outcome == delivery.Taken || reply.Outcome == delivery.Unclear && rapid.Bool().Draw(t, "taken") {
			s.sent[r.Ordinal]++
		}
		if result, known := e.state.Judge(r, reply, 3); known {
			s.do(t, e, commands.RecordResults{Campaign: sendsOf, Worker: e.worker, Results: []delivery.Result{result}})
		}
	case "crash":
		e.worker, e.inFlight = domain.ID{0: 99}, nil
	case "wait":
		s.clock = s.clock.Add(2 * time.Minute)
	}
}

// However workers crash, stall and overlap: nobody is sent two messages, nobody
// who is withheld is sent one, and in the end everybody is exactly one of sent,
// withheld, failed or unknown.
func TestAnyInterleavingOfWorkers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people := make(delivery.Subjects, shopSize)
		for i := range people {
			people[i] = domain.ID{0: 1, 15: byte(i)}
		}
		s := &shop{
			stream: []delivery.Event{delivery.Planned{Campaign: sendsOf, Subjects: people}},
			clock:  noon, sent: map[int]int{}, engines: []*engine{{}, {}, {}},
		}
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			s.step(t)
		}
		end := s.settle(t)
		sum := end.Totals()
		if sum.Sent+sum.Withheld+sum.Failed+sum.Unknown != shopSize {
			t.Fatalf("%+v, want %d recipients accounted for", sum, shopSize)
		}
		for i, id := range people {
			at, _ := end.Of(i, id)
			switch n := s.sent[i]; {
			case n > 1:
				t.Fatalf("ordinal %d was sent %d messages", i, n)
			case at == delivery.Sent && n != 1, n == 1 && at != delivery.Sent && at != delivery.InDoubt:
				t.Fatalf("ordinal %d was sent %d messages and counts as %v", i, n, at)
			}
		}
	})
}

// next is whose turn it is, at most n: the deferred come last.
func next(s delivery.Segment, n int) []delivery.Recipient {
	turn := slices.Concat(s.Waiting(), s.Deferred())
	return turn[:min(n, len(turn))]
}

// settle lets one sound worker bring the segment to its end.
func (s *shop) settle(t *rapid.T) delivery.Segment {
	for range 3 * shopSize {
		s.clock = s.clock.Add(time.Hour)
		e := &engine{}
		s.load(e)
		if e.state.Done() {
			return e.state
		}
		s.claims++
		e.worker = domain.ID{0: 101, 15: byte(s.claims)}
		if !s.do(t, e, commands.ClaimSegment{Campaign: sendsOf, Worker: e.worker, Until: s.clock.Add(time.Minute), Now: s.clock}) {
			t.Fatal("cannot claim")
		}
		for _, r := range next(e.state, shopSize) {
			s.do(t, e, commands.IntendSends{Campaign: sendsOf, Worker: e.worker, Sends: []commands.IntendedSend{{Recipient: r}}})
			s.sent[r.Ordinal]++
			s.do(t, e, commands.RecordResults{Campaign: sendsOf, Worker: e.worker, Results: []delivery.Result{{Recipient: r, To: delivery.Sent, Code: 250}}})
		}
	}
	t.Fatal("the segment does not come to an end")
	return delivery.Segment{}
}
