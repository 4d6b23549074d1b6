package bench

import (
	"context"
	"net/url"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/eventlog"
)

type rawPostgres struct{ *pgx.Conn }

func openRawPostgres(ctx context.Context, at string) (rawPostgres, error) {
	u, err := url.Parse(at)
	if err != nil {
		return rawPostgres{}, err
	}
	query := u.Query()
	query.Del("schema") // is the log's
	u.RawQuery = query.Encode()
	conn, err := pgx.Connect(ctx, u.String())
	if err != nil {
		return rawPostgres{}, err
	}
	_, err = conn.Exec(ctx, `CREATE TABLE bench_raw (pos bigint PRIMARY KEY, stream text, type text, id bytea, meta bytea, data bytea)`)
	return rawPostgres{conn}, err
}

func (c rawPostgres) insert(ctx context.Context, page eventlog.Page) error {
	_, err := c.CopyFrom(ctx, pgx.Identifier{"bench_raw"}, []string{"pos", "stream", "type", "id", "meta", "data"},
		pgx.CopyFromSlice(len(page.Events), func(i int) ([]any, error) {
			e := page.Events[i]
			return []any{int64(e.Position), e.Stream, e.Type, e.ID[:], slices.Concat(e.Meta.Account[:], e.Meta.Subject[:]), e.Data}, nil
		}))
	return err
}

func (c rawPostgres) scan(ctx context.Context) error {
	rows, err := c.Query(ctx, `SELECT pos, stream, type, id, meta, data FROM bench_raw ORDER BY pos`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		rows.RawValues()
	}
	return rows.Err()
}

func (c rawPostgres) close() error {
	ctx := context.Background()
	if _, err := c.Exec(ctx, "DROP TABLE bench_raw"); err != nil {
		return err
	}
	return c.Close(ctx)
}
