package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"

	sqlite "modernc.org/sqlite"
)

// conn is the driver's connection, without database/sql between: that costs as
// much again as SQLite itself. It keeps its statements, and is one goroutine's.
type conn struct {
	raw   driver.Conn
	stmts map[string]driver.Stmt
}

var sqliteDriver = &sqlite.Driver{}

func open(path string, pragmas ...string) (*conn, error) {
	query := url.Values{"_pragma": append([]string{"busy_timeout(10000)"}, pragmas...)}
	raw, err := sqliteDriver.Open("file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode())
	if err != nil {
		return nil, err
	}
	return &conn{raw, map[string]driver.Stmt{}}, nil
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		_ = s.Close()
	}
	return c.raw.Close()
}

func (c *conn) prepare(text string) (driver.Stmt, error) {
	if s := c.stmts[text]; s != nil {
		return s, nil
	}
	s, err := c.raw.Prepare(text)
	if err == nil {
		c.stmts[text] = s
	}
	return s, err
}

// exec runs one statement; its arguments are numbered here.
func (c *conn) exec(text string, args ...driver.NamedValue) error {
	s, err := c.prepare(text)
	if err != nil {
		return err
	}
	for i := range args {
		args[i].Ordinal = i + 1
	}
	// The context is never done: watching one costs more than a row does.
	_, err = s.(driver.StmtExecContext).ExecContext(context.Background(), args)
	return err
}

// query calls each with every row. The slice is reused; the values are not.
func (c *conn) query(text string, args []driver.NamedValue, each func(row []driver.Value) error) (err error) {
	s, err := c.prepare(text)
	if err != nil {
		return err
	}
	for i := range args {
		args[i].Ordinal = i + 1
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), args)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		if err := rows.Next(row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// values are arguments; nil bytes are empty bytes, never NULL.
func values(columns ...any) []driver.NamedValue {
	out := make([]driver.NamedValue, 0, len(columns))
	return appendValues(out, columns)
}

func appendValues(out []driver.NamedValue, columns []any) []driver.NamedValue {
	for _, v := range columns {
		if b, ok := v.([]byte); ok && b == nil {
			v = []byte{}
		}
		out = append(out, driver.NamedValue{Value: v})
	}
	return out
}

// tx runs f in a transaction: all of it or nothing, even when f panics.
func (c *conn) tx(f func() error) (err error) {
	if err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	done := false
	defer func() {
		if done {
			return
		}
		if undo := c.exec("ROLLBACK"); undo != nil {
			err = fmt.Errorf("%w (and no rollback: %w)", err, undo)
		}
	}()
	if err = f(); err != nil {
		return err
	}
	if err = c.exec("COMMIT"); err == nil {
		done = true
	}
	return err
}
