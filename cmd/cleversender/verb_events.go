package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"

	"github.com/cleversender/cleversender/adapters/api"
)

type eventsVerb struct {
	Types  []string `help:"Stored names, such as consent.revoked; without it all."`
	Reveal bool     `help:"Show personal values in the clear."`
	All    bool     `help:"Of every account (operator)."`
	paging
}

// Run reads one page of the log.
func (v eventsVerb) Run(s *session) error {
	q := url.Values{"limit": {strconv.Itoa(v.Limit)}}
	if v.After != "" {
		q.Set("after", v.After)
	}
	if len(v.Types) > 0 {
		q["types"] = v.Types
	}
	if v.Reveal {
		q.Set("reveal", "true")
	}
	if v.All {
		q.Set("all", "true")
	}
	var page api.EventPage
	if err := s.get("/events?"+q.Encode(), &page); err != nil {
		return err
	}
	return s.print(page, func(w io.Writer) {
		for _, e := range page.Items {
			data, _ := json.Marshal(e.Data) // came as JSON
			fmt.Fprintf(w, "%d  %s  %-24s %s/%d  %s\n", e.Position, date(e.At), e.Type, e.Stream, e.Revision, data)
		}
		if page.Next != strconv.FormatUint(page.Head, 10) {
			fmt.Fprintf(w, "\nMore: --after %s\n", page.Next)
		}
	})
}
