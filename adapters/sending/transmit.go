package sending

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cleversender/cleversender/domain/delivery"
)

// job is one message to make and transmit.
type job struct {
	live    context.Context // ended: it must not leave any more
	segment *segment
	to      Recipient
	probe   bool // leaves even though no server could be reached lately
	done    chan<- answer
}

// answer is what came of a job.
type answer struct {
	to    delivery.Recipient
	reply delivery.Reply
	tried bool // it went as far as the transport
}

// connection takes jobs, one after the other, until there are no more; every
// job that was taken is answered.
func (s *Sender) connection(idle <-chan struct{}) {
	var data []byte // of the message at hand
	for {
		select {
		case j := <-s.jobs:
			var reply delivery.Reply
			var tried bool
			reply, data, tried = s.transmit(j, data[:0])
			j.done <- answer{delivery.Recipient{Person: j.to.Person, Ordinal: j.to.Ordinal}, reply, tried}
		case <-idle:
			return
		}
	}
}

var recalled = delivery.Reply{Outcome: delivery.NotSent}

// transmit makes the message in dst, which it gives back, perhaps grown.
func (s *Sender) transmit(j job, dst []byte) (reply delivery.Reply, data []byte, tried bool) {
	if s.mustStay(j) {
		return recalled, dst, false
	}
	m, err := message(s.wire, j.segment.mailer, dst, j.to)
	if err != nil {
		s.o.Logger.Warn("sending: a message cannot be made", "campaign", j.segment.Campaign,
			"ordinal", j.to.Ordinal, "kind", fmt.Sprintf("%T", err))
		return delivery.Reply{Outcome: delivery.NotMade}, dst, false
	}
	if s.mustStay(j) {
		return recalled, m.Data, false
	}
	s.metrics.inFlight.Inc()
	began := time.Now()
	reply = s.o.Transport.Send(s.wire, m)
	s.metrics.inFlight.Dec()
	if reply.Outcome == delivery.NotNow && reply.Code == 0 {
		reply.Outcome = delivery.NotSent // nobody said so: nothing was asked
	}
	s.metrics.seconds.Observe(time.Since(began).Seconds())
	s.door.heard(reply, j.segment.knocks.before(j.to.Ordinal))
	return reply, m.Data, true
}

// mustStay: paused, cancelled or stopped; the lease is over; or no server is
// there, and somebody else is finding out when one is again.
func (s *Sender) mustStay(j job) bool {
	closed, _ := s.door.closed()
	return j.live.Err() != nil || time.Now().UnixNano() >= j.segment.until.Load() || closed && !j.probe
}

var errPanicked = errors.New("composing panicked")

// message keeps a template's panic from taking the worker down.
func message(ctx context.Context, mailer Mailer, dst []byte, to Recipient) (m Message, err error) {
	defer func() {
		if recover() != nil {
			err = errPanicked
		}
	}()
	return mailer.Message(ctx, dst, to)
}

// post hands a chunk to the connections and records the answers in groups as
// they come in. It returns when every answer that is known is durable.
func (g *segment) post(live context.Context, chunk []candidate, probe bool) error {
	answers := make(chan answer, len(chunk)) // connections never wait for the log
	go g.feed(live, chunk, probe, answers)
	renew := time.NewTicker(g.sender.o.Lease / 3)
	defer renew.Stop()
	group := make([]delivery.Result, 0, len(chunk))
	var late <-chan time.Time
	for left := len(chunk); left > 0 || len(group) > 0; {
		full := left == 0 || len(group) >= max(1, len(chunk)/2)
		if full && len(group) > 0 {
			if err := g.record(group); err != nil {
				return err
			}
			group, late = group[:0], nil
			continue
		}
		select {
		case a := <-answers:
			left--
			if r, known := g.judge(a); known {
				if group = append(group, r); late == nil {
					late = time.After(g.sender.stride.delay(g.sender.o.GroupDelay))
				}
			}
		case <-late:
			if err := g.record(group); err != nil {
				return err
			}
			group, late = group[:0], nil
		case <-renew.C:
			if err := g.renew(); err != nil {
				return err
			}
		}
	}
	return nil
}

// judge is what an answer is recorded as, if anybody knows.
func (g *segment) judge(a answer) (result delivery.Result, known bool) {
	if a.tried && a.reply.Outcome == delivery.NotSent && g.knocks.inVain(a.to.Ordinal, g.sender.o.Patience) {
		a.reply.Outcome = delivery.NotReached
	}
	g.heard(a.to.Ordinal, a.reply, a.tried)
	if a.reply.Outcome != delivery.Unclear { // counted by the claim that gives up on them
		g.sender.metrics.sends.WithLabelValues(sendResults[a.reply.Outcome]).Inc()
	}
	return g.state().Judge(a.to, a.reply, len(g.sender.o.Retries)+1)
}

// feed answers for whoever did not reach a connection in time.
func (g *segment) feed(live context.Context, chunk []candidate, probe bool, done chan<- answer) {
	for _, c := range chunk {
		if c.closed {
			done <- answer{c.Recipient, delivery.Reply{Outcome: delivery.NotMade}, false}
			continue
		}
		select {
		case g.sender.jobs <- job{live, g, c.to, probe, done}:
		case <-live.Done():
			done <- answer{c.Recipient, recalled, false}
		}
	}
}
