// Package sending is the worker: it takes every campaign that is being sent,
// freezes its audience, and gets each recipient their message once, with their
// consent, or records why not.
//
// # What can fail, and what then
//
// A recipient's way is: waiting, intended (durable), sent to, result (durable).
// Every step can fail without being done, or be done and still report failure:
//
//	step                    failed, not done               failed, but done
//	plan a segment          asked again: written once      asked again: quiet
//	claim a segment         asked again, or left to others asked again with the same id: quiet
//	intend a chunk          asked again with the same ids; asked again with the same ids:
//	                        nothing has left               the log says so; nothing has left
//	barrier (wait, read)    asked again; nothing has left  -
//	withhold                asked again; not sent to       asked again: quiet
//	transmit                no reply of success: deferred  the reply was lost: unknown.
//	                        or failed, by the reply        Never sent again
//	record results          asked again with the same ids  asked again with the same ids: quiet
//	finish the campaign     asked again                    asked again: quiet
//
// "Asked again" goes on, with growing pauses, for as long as the worker runs and
// holds the segment; meanwhile nothing more of that segment is transmitted than
// the chunk that is already intended.
//
// The worker dies (kill -9, power): whoever was intended and has no result is
// unknown from the next claim on; a new claim has a new worker id, and that
// alone is what says so. They are counted, and never sent to in silence: only when
// the account asks for it, with the same Message-ID. Everybody else is sent to as
// if nothing had happened. At most Window recipients of each segment in work
// (Parallel) are unknown; fewer where the server is slow, since a chunk is no
// larger than what leaves in about a tenth of a second.
//
// The worker lives on and has lost its segment (it was suspended longer than its
// lease, say): its next append is a conflict, and it drops the segment where it
// is. It transmits nothing once its lease has run out by its own clock; if that
// clock is wrong, messages may leave that the new owner counts as unknown, but
// none leaves twice: an intent is written once, whoever believes to own what.
//
// With Sole the worker does not wait for another's lease to end: that other is
// dead, or else the worker would not be alone, and what the dead one left is
// unknown at once instead of later. Two that both believe to be alone take
// segments from each other: what was under way is unknown, and none leaves twice.
//
// A message leaves only after the barrier: the intent is durable, the view of the
// audience has passed it, and what the view says has not changed since it was
// read, or is read anew. So every revocation recorded before the intent is honoured,
// and a message leaves by the very consent that its intent names: who agreed anew
// meanwhile is recorded as not sent to, and has another turn.
//
// Limits are asked before the intent. Whom they hold back waits as before, and
// nothing is recorded of it; a reason of theirs to stop pauses the campaign.
//
// Pause, cancel and stop: no further message leaves. Those under way end and are
// recorded; those intended that have not left are recorded as deferred with code
// 0, and their turn comes again. A cancelled campaign's rest gets no events:
// campaign.cancelled says it. When Stop's time runs out, transmissions are
// broken off, and what they were about is unknown.
//
// No server to be reached: deferred with code 0, and one message at a time
// probes, ever more rarely, until one is answered; who has not been tried yet
// probes first. It may also be the message that breaks every connection: it is
// tried again after pauses of its own, of up to a minute, and holds up nobody
// else meanwhile. Tried ten times, and for Patience or longer, it fails:
// unreachable. A server's "not now" (4yz) is tried again after each of Retries,
// then it is a failure: unreachable.
package sending

import (
	"context"
	"log/slog"
	"runtime"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

// Options are what the worker needs; zero values of the second group are the defaults.
type Options struct {
	Journal   Journal
	Audience  Audience
	Composer  Composer
	Transport Transport
	Limits    Limits                                                                              // nil: none
	Blocked   func(ctx context.Context, account domain.ID, s campaign.Settings) ([]string, error) // codes of what holds a start back; nil: nothing does
	Logger    *slog.Logger

	SegmentSize int             // recipients of a segment; 1,000
	Window      int             // intended and without a durable result, per segment, at most; 200
	Parallel    int             // segments in work at once, over all campaigns; twice the processors, 4 at least
	Connections int             // transmissions at once, over all campaigns; 16
	Lease       time.Duration   // how long a claim holds unless renewed; 30 s
	Retries     []time.Duration // pauses before a deferred message's further tries; 5 min, 15 min, 1 h, 4 h, 12 h
	Patience    time.Duration   // how long a message is tried that cannot leave; 4 h
	GroupDelay  time.Duration   // how long a result waits for others to be recorded with, at least; 5 ms
	Sole        bool            // nobody else works on the log, for certain: another's claim is a dead one's, and is taken over at once
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.SegmentSize = positive(o.SegmentSize, 1000)
	o.Window = positive(o.Window, 200)
	o.Parallel = positive(o.Parallel, max(4, 2*runtime.GOMAXPROCS(0)))
	o.Connections = positive(o.Connections, 16)
	o.Lease = positive(o.Lease, 30*time.Second)
	o.Patience = positive(o.Patience, 4*time.Hour)
	o.GroupDelay = positive(o.GroupDelay, 5*time.Millisecond)
	if o.Retries == nil {
		o.Retries = []time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour}
	}
	return o
}

func positive[N int | time.Duration](n, otherwise N) N {
	if n > 0 {
		return n
	}
	return otherwise
}
