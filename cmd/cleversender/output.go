package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// print shows an answer: as JSON with --json, else as human writes it.
func (s *session) print(answer any, human func(w io.Writer)) error {
	if s.globals.JSON {
		enc := json.NewEncoder(s.out)
		enc.SetEscapeHTML(false)
		return enc.Encode(answer)
	}
	human(s.out)
	return nil
}

// table writes rows in columns; the first row is the heading.
func table(w io.Writer, rows ...[]string) {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	_ = tw.Flush()
}

// bar is a progress bar on a terminal; piped, or with --json, it shows nothing.
// total -1 counts without an end.
func (s *session) bar(total int64, label string) *progressbar.ProgressBar {
	to := s.err
	if !s.terminal() {
		to = io.Discard
	}
	return progressbar.NewOptions64(total,
		progressbar.OptionSetDescription(label), progressbar.OptionSetWriter(to),
		progressbar.OptionSetSpinnerChangeInterval(0), // a spinner that turns by itself reads what ChangeMax writes
		progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(total > 0))
}

func (s *session) terminal() bool {
	f, ok := s.err.(*os.File)
	return ok && !s.globals.JSON && term.IsTerminal(int(f.Fd()))
}
