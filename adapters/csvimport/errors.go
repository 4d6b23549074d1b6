package csvimport

import (
	"bufio"
	"io"
	"iter"
	"strconv"

	"github.com/cleversender/cleversender/domain/contactimport"
)

// ErrorsCSV writes the rows that were left out as CSV with the columns line,
// code and column. No value of the file is in it: whoever has the file finds
// the line. Codes and columns hold no character that CSV would have to quote.
func ErrorsCSV(w io.Writer, rows iter.Seq2[contactimport.RejectedRow, error]) error {
	out := bufio.NewWriter(w)
	_, _ = out.WriteString("line,code,column\r\n")
	line := make([]byte, 0, 64)
	for row, err := range rows {
		if err != nil {
			return err
		}
		line = strconv.AppendInt(line[:0], int64(row.Line), 10)
		line = append(append(append(append(append(line, ','), row.Code...), ','), row.Column...), "\r\n"...)
		_, _ = out.Write(line) // bufio keeps the first error for Flush
	}
	return out.Flush()
}
