package main

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/cleversender/cleversender/adapters/api"
)

// paging is the flags of what comes in pages.
type paging struct {
	Limit int    `help:"How many at most." default:"50"`
	After string `help:"The next of the page before."`
}

func (p paging) query() string {
	q := url.Values{}
	if p.Limit > 0 {
		q.Set("limit", strconv.Itoa(p.Limit))
	}
	if p.After != "" {
		q.Set("after", p.After)
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// listed shows a page of the API as a table.
func listed[T any](s *session, path string, p paging, heading []string, row func(T) []string) error {
	var page api.Page[T]
	if err := s.get(path+p.query(), &page); err != nil {
		return err
	}
	return s.print(page, func(w io.Writer) {
		rows := [][]string{heading}
		for _, item := range page.Items {
			rows = append(rows, row(item))
		}
		table(w, rows...)
		if page.Next != "" {
			fmt.Fprintf(w, "\nMore: --after %s\n", page.Next)
		}
	})
}

// done says that a change was made.
func (s *session) done(err error, what string) error {
	if err != nil {
		return err
	}
	return s.print(map[string]string{"done": what}, func(w io.Writer) { fmt.Fprintln(w, what) })
}

// date is a time for people, UTC; a zero one is empty.
func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}
