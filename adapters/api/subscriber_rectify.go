package api

import (
	"context"
	"errors"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// correction is RectifySubscriber of what is held now, with the change on top.
type correction struct {
	commands.RectifySubscriber
	change SubscriberChange // Email as it is sent to
}

// Decide implements commands.Command.
func (c correction) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	c.Email, c.Name, c.Attributes = is.Email, is.Name, is.Attributes
	if c.change.Email != nil {
		c.Email = personal.Of(*c.change.Email)
	}
	if c.change.Name != nil {
		c.Name = personal.Of(*c.change.Name)
	}
	if c.change.Attributes != nil {
		c.Attributes = personal.FieldsOf(*c.change.Attributes)
	}
	return c.RectifySubscriber.Decide(is)
}

func (s *Server) rectify(ctx context.Context, id domain.ID, in SubscriberChange) (*Changed, error) {
	req := s.request(ctx, Idempotent{})
	cmd := correction{commands.RectifySubscriber{Person: id, Source: subscriber.SourceAPI}, in}
	if in.Email == nil {
		at, err := do(ctx, s, req, Idempotent{}, cmd)
		return &Changed{at}, err
	}
	plain, next, err := s.deps.Address(*in.Email)
	if err != nil {
		return nil, err
	}
	cmd.change.Email = &plain
	now, err := s.addressOf(ctx, id)
	if err != nil {
		return nil, err
	}
	// The directory moves first: it is where two people with one address are told.
	if now != next {
		if err := s.deps.Directory.Move(ctx, req.Account, now, next, id); err != nil {
			return nil, err
		}
	}
	at, err := do(ctx, s, req, Idempotent{}, cmd)
	var refusal domain.Refusal
	if errors.As(err, &refusal) && now != next {
		if back := s.deps.Directory.Move(ctx, req.Account, next, now, id); back != nil {
			return nil, back
		}
	}
	return &Changed{at}, err
}

// addressOf is the normalised address that is held now.
func (s *Server) addressOf(ctx context.Context, id domain.ID) (string, error) {
	is, err := s.person(ctx, id)
	if err != nil {
		return "", err
	}
	email, _ := is.Email.Reveal()
	_, normal, err := s.deps.Address(email)
	return normal, err
}

// person is somebody of the account, from the log.
func (s *Server) person(ctx context.Context, id domain.ID) (subscriber.Subscriber, error) {
	var is subscriber.Subscriber
	past, err := s.deps.Log.Load(ctx, subscriber.Stream(id))
	if err != nil {
		return is, err
	}
	if len(past) == 0 || past[0].Meta.Account != callerOf(ctx).account {
		return is, commands.ErrNotFound
	}
	for _, e := range past {
		is = is.Evolve(e.Data.(subscriber.Event))
	}
	if is.Erased {
		return is, commands.ErrErased
	}
	return is, nil
}
