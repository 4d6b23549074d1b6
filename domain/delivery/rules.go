package delivery

import "github.com/cleversender/cleversender/domain"

// The rules of a segment. They hold whatever a worker believes about its lease:
// the state and the stream's revision decide, never a clock but the claimer's.
var (
	ErrNotPlanned   = domain.Refuse("segment_not_planned", "the segment has not been planned")
	ErrPlanned      = domain.Refuse("already_exists", "the segment is planned with other recipients")
	ErrEmpty        = domain.Refuse("segment_empty", "a segment has at least one recipient")
	ErrTooMany      = domain.Refuse("segment_too_large", "a segment has at most 10,000 recipients")
	ErrClaimed      = domain.Refuse("segment_claimed", "another worker holds the segment")
	ErrDone         = domain.Refuse("segment_done", "every recipient of the segment is settled")
	ErrNotHeld      = domain.Refuse("segment_not_held", "the worker does not hold the segment")
	ErrNoRecipient  = domain.Refuse("not_a_recipient", "the segment has no such recipient")
	ErrSettled      = domain.Refuse("send_settled", "what became of this message is already recorded")
	ErrNotIntended  = domain.Refuse("send_not_intended", "the message was never intended, so it has no result")
	ErrNoResult     = domain.Refuse("not_a_result", "that is not how a send ends")
	ErrOtherMailing = domain.Refuse("other_campaign", "the segment belongs to another campaign")
)

// MaxRecipients bounds a segment, and with it what one claim holds in memory.
const MaxRecipients = 10_000
