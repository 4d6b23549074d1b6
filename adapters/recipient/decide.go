package recipient

import (
	"context"
	"errors"
	"fmt"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// decide makes the events of a hit. A hit is a fact each time: nothing that
// happened before bears on it, so the state is never read, nor how long the stream is.
func decide[S commands.State[S, E], E any](req commands.Request, cmd commands.Command[S, E]) []event.Draft {
	var state S
	decided, err := cmd.Decide(state)
	if err != nil {
		return nil
	}
	return commands.Drafts(req, cmd, decided, 0)
}

// person is what we hold of somebody; false when that is nothing, or nothing any more.
func (h *Handler) person(ctx context.Context, account, id domain.ID) (subscriber.Subscriber, bool, error) {
	var s subscriber.Subscriber
	past, err := h.deps.Log.Load(ctx, subscriber.Stream(id))
	if err != nil {
		return s, false, fmt.Errorf("load %s: %w", subscriber.Stream(id), err)
	}
	if len(past) == 0 || past[0].Meta.Account != account {
		return s, false, nil
	}
	for _, e := range past {
		s = s.Evolve(e.Data.(subscriber.Event))
	}
	return s, !s.Erased, nil
}

func isRefusal(err error) bool {
	var refusal domain.Refusal
	return errors.As(err, &refusal)
}

// refusalResult names a token that was not taken.
func refusalResult(err error) string {
	var refusal domain.Refusal
	if errors.As(err, &refusal) && refusal.Code == "token_expired" {
		return expired
	}
	return forged
}
