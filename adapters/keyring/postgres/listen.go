package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/domain"
)

// newEpochs is the notification that is about no person.
const newEpochs = "epochs"

// listen hears of what other nodes destroy, until the store is closed. What was
// missed while it could not is forgotten, all of it.
func (s *Store) listen() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		<-s.closed
		stop()
	}()
	for ctx.Err() == nil {
		_ = s.hear(ctx) // it is a hint: Trust holds without it
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (s *Store) hear(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, s.place.config.ConnConfig.Copy())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `LISTEN `+pgx.Identifier{s.place.schema}.Sanitize()); err != nil {
		return err
	}
	s.cache.Clear()
	if _, err := s.reload(ctx); err != nil {
		return err
	}
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if n.Payload == newEpochs {
			if _, err := s.reload(ctx); err != nil {
				return err
			}
			continue
		}
		subject, err := domain.ParseID(n.Payload)
		if err != nil {
			return err
		}
		s.cache.Evict(subject)
	}
}
