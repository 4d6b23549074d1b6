package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
)

// conn is the driver's connection, without database/sql between: that costs
// as much again as SQLite itself. It keeps its statements; the caller keeps it
// to one goroutine.
type conn struct {
	raw   driver.Conn
	stmts map[string]driver.Stmt
}

// withConn lends a connection of the pool to f, and closes its statements after.
func withConn(ctx context.Context, db *sql.DB, f func(*conn) error) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	return c.Raw(func(raw any) error {
		it := &conn{raw.(driver.Conn), map[string]driver.Stmt{}}
		defer it.close()
		return f(it)
	})
}

func (c *conn) close() {
	for _, s := range c.stmts {
		_ = s.Close()
	}
	clear(c.stmts)
}

const maxStatements = 64

func (c *conn) prepare(text string) (driver.Stmt, error) {
	if s := c.stmts[text]; s != nil {
		return s, nil
	}
	s, err := c.raw.Prepare(text)
	if err != nil {
		return nil, err
	}
	if len(c.stmts) == maxStatements {
		c.close()
	}
	c.stmts[text] = s
	return s, nil
}

func (c *conn) exec(text string, args ...driver.Value) error {
	return c.execNamed(text, named(args))
}

func (c *conn) execNamed(text string, args []driver.NamedValue) error {
	s, err := c.prepare(text)
	if err != nil {
		return err
	}
	_, err = s.(driver.StmtExecContext).ExecContext(context.Background(), args)
	return err
}

func named(args []driver.Value) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, a := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return out
}

var errEnough = errors.New("enough")

// query calls each with every row, until it returns errEnough or fails. The
// row is reused; the values in it are not.
func (c *conn) query(text string, args []driver.Value, each func(row []driver.Value) error) (err error) {
	s, err := c.prepare(text)
	if err != nil {
		return err
	}
	// The context is never done: watching one costs more than a row does.
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), named(args))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		switch err := each(row); {
		case errors.Is(err, errEnough):
			return nil
		case err != nil:
			return err
		}
	}
}
