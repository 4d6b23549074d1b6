package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/domain/event"
)

const (
	beatEvery = time.Second
	deadAfter = 3 * time.Second
)

// live beats until ctx ends. A beat that fails is followed by the next one.
func (s *Store) live(ctx context.Context) {
	defer close(s.beaten)
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = s.beat(ctx)
		}
	}
}

// beat says that the node lives, for a while; by the server's clock alone.
func (s *Store) beat(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, s.sql.beat, s.node, deadAfter.Microseconds())
	return err
}

// claims are their names in SQL.
var claims = map[readmodel.Claim]string{
	readmodel.Look: "look", readmodel.Inherit: "inherit", readmodel.Take: "take", readmodel.Leave: "leave",
}

// Hold implements readmodel.Shared.
func (s *Store) Hold(ctx context.Context, ids []string, claim readmodel.Claim) (map[string]readmodel.Mark, error) {
	rows, err := s.pool.Query(ctx, s.sql.hold, s.node, ids, claims[claim])
	if err != nil {
		return nil, err
	}
	marks := make(map[string]readmodel.Mark, len(ids))
	var id string
	var position, edition int64
	var mine bool
	_, err = pgx.ForEachRow(rows, []any{&id, &position, &edition, &mine}, func() error {
		marks[id] = readmodel.Mark{Mine: mine, Position: event.Position(position), Edition: uint64(edition)}
		return nil
	})
	return marks, err
}
