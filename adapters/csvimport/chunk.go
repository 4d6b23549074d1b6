package csvimport

import (
	"context"
	"errors"
	"io"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/contactimport"
)

// chunk is rows that are decided and written together.
type chunk struct {
	rows     []row
	reserved []Reservation // of each row
	rejected []contactimport.RejectedRow
	at       contactimport.Progressed // how far the file was read; counts are of this chunk alone
	end      error                    // nil: more follows; io.EOF: the whole file was read; else why it was not
	written  chan error               // one value, once everything is durable
}

// unreadable is a source that broke, which is nobody's rule.
type unreadable struct{ error }

func (u unreadable) Unwrap() error { return u.error }

// parser makes chunks of a file.
type parser struct {
	file   *received
	csv    *Reader
	rows   rows
	size   int
	resume contactimport.Progressed // rows up to its line were imported before
}

// open reads as far as the header.
func (p *parser) open(opt Options) error {
	text, err := unpack(p.file, opt.Charset, opt.MaxBytes)
	if err != nil {
		return readError(err)
	}
	p.csv = NewReader(text, byte(opt.Delimiter))
	header, err := p.csv.Read()
	if err != nil {
		return headerError(err)
	}
	if p.rows.columns, err = columnsOf(header.Fields, opt.Mapping); err != nil {
		return err
	}
	p.csv.Columns = len(header.Fields)
	return nil
}

func headerError(err error) error {
	var bad *RowError
	switch {
	case errors.Is(err, io.EOF):
		return ErrEmptyFile
	case errors.As(err, &bad) && bad.Code == "bad_encoding":
		return ErrEncoding
	case errors.As(err, &bad):
		return ErrBadHeader
	}
	return readError(err)
}

func readError(err error) error {
	if refusal := (domain.Refusal{}); errors.Is(err, io.EOF) || errors.As(err, &refusal) {
		return err
	}
	return unreadable{err}
}

// run sends chunks until the file ends, one way or the other.
func (p *parser) run(ctx context.Context, out chan<- *chunk) error {
	defer close(out)
	for {
		c := p.next()
		select {
		case out <- c:
		case <-ctx.Done():
			return ctx.Err()
		}
		if c.end != nil {
			return nil
		}
	}
}

// next reads one chunk.
func (p *parser) next() *chunk {
	c := &chunk{rows: make([]row, 0, p.size), written: make(chan error, 1)}
	for n := 0; n < p.size && c.end == nil; n++ {
		c.end = p.one(c)
	}
	if errors.Is(c.end, io.EOF) && !p.file.met {
		c.end = ErrDiffers
	}
	c.at = contactimport.Progressed{Line: p.csv.Lines(), Bytes: p.file.bytes, SHA256: p.file.sum()}
	return c
}

// one reads one record into the chunk; an error ends the file.
func (p *parser) one(c *chunk) error {
	rec, err := p.csv.Read()
	var bad *RowError
	isBad := errors.As(err, &bad)
	switch {
	case isBad:
		rec.Line = bad.Line
	case err != nil:
		return readError(err)
	}
	if rec.Line <= p.resume.Line {
		return nil
	}
	if !p.file.met {
		return ErrDiffers
	}
	if isBad {
		c.rejected = append(c.rejected, contactimport.RejectedRow{Line: bad.Line, Code: bad.Code})
		return nil
	}
	r, ok, err := p.rows.read(rec)
	var left *rejection
	switch {
	case errors.As(err, &left):
		c.rejected = append(c.rejected, left.RejectedRow)
	case ok:
		c.rows = append(c.rows, r)
	}
	return nil
}
