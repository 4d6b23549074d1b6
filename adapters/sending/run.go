package sending

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cleversender/cleversender/adapters/sending/again"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

// startLater waits until a campaign is due and starts it, with its content as
// it is then. One that is refused is a draft again, and says why; after a fault
// it is asked again.
func (s *Sender) startLater(hard, live context.Context, m *mailing) error {
	at := s.stateOf(m).StartAt
	for wait := time.Until(at); wait > 0; wait = time.Until(at) {
		if !again.Sleep(live, min(wait, time.Minute)) { // clocks are set
			return live.Err()
		}
	}
	mail := Mailing{Account: m.account, Campaign: m.id}
	start, err := s.ready(live, m)
	if err == nil {
		err = handle(hard, s, "start a campaign", mail, start)
	}
	var refused domain.Refusal
	if errors.As(err, &refused) {
		return handle(hard, s, "call a start off", mail, commands.UnscheduleCampaign{Campaign: m.id, Reason: oneLine(refused.Reason)})
	}
	return err
}

// ready is the start of a campaign that is due.
func (s *Sender) ready(ctx context.Context, m *mailing) (start commands.StartCampaign, err error) {
	is := s.stateOf(m)
	start = commands.StartCampaign{Campaign: m.id, Force: is.Forced}
	if start.Content, err = s.o.Composer.Freeze(ctx, m.account, is.Settings); err != nil {
		return start, fmt.Errorf("freeze the content: %w", err)
	}
	if s.o.Blocked != nil {
		if start.Blocked, err = s.o.Blocked(ctx, m.account, is.Settings); err != nil {
			return start, fmt.Errorf("preflight: %w", err)
		}
	}
	return start, nil
}

// oneLine is a reason as an event can hold it.
func oneLine(reason string) string {
	reason = strings.Join(strings.Fields(reason), " ")
	return strings.ToValidUTF8(reason[:min(len(reason), 400)], "")
}

func (s *Sender) stateOf(m *mailing) campaign.Campaign {
	s.mu.Lock()
	defer s.mu.Unlock()
	return m.state
}

// handle asks a command on a stream that others write to as well.
func handle[S commands.State[S, E], E any](ctx context.Context, s *Sender, what string, m Mailing, c commands.Command[S, E]) error {
	req := commands.Request{ID: newID(), Account: m.Account, Correlation: m.Campaign}
	err := s.persist(ctx, what, func() error {
		_, err := commands.Handle(ctx, s.o.Journal, req, c)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s, campaign %s: %w", what, m.Campaign, err)
	}
	return nil
}

// run sends a campaign until every recipient is settled, or live ends.
func (s *Sender) run(hard, live context.Context, m *mailing) error {
	state := s.stateOf(m)
	mail := Mailing{m.account, m.id, state.Settings, state.Content}
	mailer, err := s.o.Composer.Compile(live, mail)
	if err != nil {
		return fmt.Errorf("compile: %w", err)
	}
	if !state.Frozen {
		if state, err = s.frozen(live, mail, m); err != nil {
			return err
		}
	}
	totals := s.segments(hard, live, m, mail, mailer, state.Audience.Segments)
	if live.Err() != nil {
		return live.Err()
	}
	err = handle(hard, s, "finish a campaign", mail, commands.FinishCampaign{
		Campaign: m.id, Sent: totals.Sent, Withheld: totals.Withheld, Failed: totals.Failed, Unknown: totals.Unknown,
	})
	var refused domain.Refusal
	if errors.As(err, &refused) { // cancelled meanwhile, or another was first
		s.o.Logger.Info("sending: a campaign is not ours to finish", "campaign", m.id, "code", refused.Code)
		return nil
	}
	return err
}

// frozen freezes the audience, and reads back what holds: another worker may
// have been first.
func (s *Sender) frozen(ctx context.Context, mail Mailing, m *mailing) (campaign.Campaign, error) {
	var refused domain.Refusal
	if err := s.freeze(ctx, mail, m.started); err != nil && !errors.As(err, &refused) {
		return campaign.Campaign{}, err
	}
	var now *commands.Owner[campaign.Campaign, campaign.Event]
	err := s.persist(ctx, "load a campaign", func() (err error) {
		now, err = commands.Own[campaign.Campaign, campaign.Event](ctx, s.o.Journal, m.account, campaign.Stream(m.id))
		return err
	})
	switch {
	case err != nil:
		return campaign.Campaign{}, err
	case !now.State.Frozen:
		return campaign.Campaign{}, errors.New("the audience could not be frozen")
	}
	return now.State, nil
}
