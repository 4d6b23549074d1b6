package sending

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

// startLater waits until a campaign is due and starts it, with its content as
// it is then.
func (s *Sender) startLater(hard, live context.Context, m *mailing) error {
	at := s.stateOf(m).StartAt
	for wait := time.Until(at); wait > 0; wait = time.Until(at) {
		if !sleep(live, min(wait, time.Minute)) { // clocks are set
			return live.Err()
		}
	}
	settings := s.stateOf(m).Settings
	content, err := s.o.Composer.Freeze(live, m.account, settings)
	if err != nil {
		return fmt.Errorf("freeze the content: %w", err)
	}
	return handle(hard, s, "start a campaign", Mailing{Account: m.account, Campaign: m.id},
		commands.StartCampaign{Campaign: m.id, Content: content})
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
