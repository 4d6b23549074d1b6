package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/cleversender/cleversender/adapters/api"
)

type campaignReportVerb struct {
	ID string `arg:""`
}

// Run implements the verb.
func (v campaignReportVerb) Run(s *session) error {
	var r api.Report
	if err := s.get("/campaigns/"+v.ID+"/report", &r); err != nil {
		return err
	}
	return s.print(r, func(w io.Writer) { writeReport(w, r) })
}

func writeReport(w io.Writer, r api.Report) {
	line := func(name string, n int) []string { return []string{name, strconv.Itoa(n), share(n, r.Recipients)} }
	rows := [][]string{
		{"status", string(r.Status), ""}, line("recipients", r.Recipients), line("sent", r.Sent), line("withheld", r.Withheld),
	}
	for _, why := range slices.Sorted(maps.Keys(r.WithheldWhy)) {
		rows = append(rows, line("  "+string(why), r.WithheldWhy[why]))
	}
	rows = append(rows, line("failed", r.Failed), line("unknown", r.Unknown), line("waiting", r.Waiting+r.Pending+r.Deferred),
		line("opened", r.Opens.People), line("clicked", r.Clicks.People), line("unsubscribed", r.Unsubscribed),
		line("bounced", r.Bounced.People))
	for _, kind := range []struct {
		name   string
		people int
	}{{"hard", r.Bounced.Hard}, {"soft", r.Bounced.Soft}, {"blocked", r.Bounced.Blocked}} {
		if kind.people > 0 {
			rows = append(rows, line("  "+kind.name, kind.people))
		}
	}
	rows = append(rows, line("complained", r.Complained))
	rows = append(rows, byMachines("opens by machines", r.Opens, r.Machines.Opens)...)
	rows = append(rows, byMachines("clicks by machines", r.Clicks, r.Machines.Clicks)...)
	table(w, rows...)
	for _, l := range r.Links {
		fmt.Fprintf(w, "%6d  %s\n", l.Clicks.People, l.URL)
	}
}

// byMachines is hits that are counted apart, and why; nothing when there are none.
func byMachines(name string, of api.Hits, why map[string]int) [][]string {
	n := of.All - of.Human
	if n == 0 {
		return nil
	}
	rows := [][]string{{name, strconv.Itoa(n), share(n, of.All)}}
	for _, reason := range slices.Sorted(maps.Keys(why)) {
		rows = append(rows, []string{"  " + reason, strconv.Itoa(why[reason]), share(why[reason], of.All)})
	}
	return rows
}

// share is a part of the whole, in percent.
func share(n, of int) string {
	if of == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(n)*100/float64(of), 'f', 1, 64) + " %"
}
