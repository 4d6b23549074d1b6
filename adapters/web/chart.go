package web

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/projections/campaignreport"
)

// sorted puts the most frequent reason first.
func sorted(counts map[delivery.Reason]int) []reasonCount {
	out := make([]reasonCount, 0, len(counts))
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		if counts[reason] > 0 {
			out = append(out, reasonCount{reason, counts[reason]})
		}
	}
	slices.SortStableFunc(out, func(a, b reasonCount) int { return cmp.Compare(b.People, a.People) })
	return out
}

// funnelStep is one bar of the funnel. Width is in percent of the recipients.
type funnelStep struct {
	Name   string
	Key    string // of the number that is kept up to date
	Whole  string // and of the one that it is a part of
	People int
	Of     int
	Width  float64
}

func funnel(r campaignreport.Report) []funnelStep {
	steps := []funnelStep{
		{Name: "Recipients", Key: "recipients", Whole: "recipients", People: r.Recipients, Of: r.Recipients},
		{Name: "Sent", Key: "sent", Whole: "recipients", People: r.Sent, Of: r.Recipients},
		{Name: "Opened", Key: "opened", Whole: "sent", People: r.Opens.HumanPeople, Of: r.Sent},
		{Name: "Clicked", Key: "clicked", Whole: "sent", People: r.Clicks.HumanPeople, Of: r.Sent},
		{Name: "Unsubscribed", Key: "unsubscribed", Whole: "sent", People: r.Unsubscribed, Of: r.Sent},
	}
	for i := range steps {
		if r.Recipients > 0 {
			steps[i].Width = 100 * float64(steps[i].People) / float64(r.Recipients)
		}
	}
	return steps
}

// chart is one series over time, as bars. Coordinates are of the drawing.
type chart struct {
	Name, Kind    string
	Total, Most   int
	Bars          []bar
	Ticks         []tick
	Width, Height int
	Left, Bottom  int    // of the plot
	Step          string // what one bar is
	From, To      time.Time
}

type bar struct {
	X, Y, W, H float64
	At         time.Time
	Count      int
}

type tick struct {
	X     float64
	Label string
}

const (
	chartWidth, chartHeight = 720, 156
	chartLeft, chartBottom  = 48, 132 // room for the labels
	chartTop                = 22
	maxBars, minBars        = 96, 12
)

// charts draws what was sent, opened and clicked, hour by hour, or in longer
// steps when there are too many hours. All share one axis of time.
func charts(hours []campaignreport.Hour) []chart {
	if len(hours) == 0 {
		return nil
	}
	from, to := hours[0].Start, hours[len(hours)-1].Start.Add(time.Hour)
	step := time.Hour
	for _, longer := range []time.Duration{3 * time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour} {
		if int(to.Sub(from)/step) <= maxBars {
			break
		}
		step = longer
	}
	from = from.Truncate(step)
	bars := max(int((to.Sub(from)+step-1)/step), minBars)
	bars = min(bars, 4*maxBars)
	series := []struct {
		name, kind string
		count      func(campaignreport.Hour) int
	}{
		{"Sent", "sent", func(h campaignreport.Hour) int { return h.Sent }},
		{"Opens", "opens", func(h campaignreport.Hour) int { return h.Opens }},
		{"Clicks", "clicks", func(h campaignreport.Hour) int { return h.Clicks }},
	}
	out := make([]chart, len(series))
	for i, one := range series {
		counts := make([]int, bars)
		for _, h := range hours {
			counts[min(int(h.Start.Sub(from)/step), bars-1)] += one.count(h)
		}
		out[i] = draw(one.name, one.kind, counts, from, step)
	}
	return out
}

func draw(name, kind string, counts []int, from time.Time, step time.Duration) chart {
	c := chart{
		Name: name, Kind: kind, Width: chartWidth, Height: chartHeight, Left: chartLeft, Bottom: chartBottom,
		Most: max(slices.Max(counts), 1), Step: stepName(step), From: from, To: from.Add(time.Duration(len(counts)) * step),
	}
	width := float64(chartWidth-chartLeft-8) / float64(len(counts))
	for i, n := range counts {
		c.Total += n
		at := from.Add(time.Duration(i) * step)
		x := chartLeft + float64(i)*width
		if n > 0 {
			h := max(float64(chartBottom-chartTop)*float64(n)/float64(c.Most), 1)
			c.Bars = append(c.Bars, bar{x + width*0.1, chartBottom - h, width * 0.8, h, at, n})
		}
		if every := max(len(counts)/6, 1); i%every == 0 {
			c.Ticks = append(c.Ticks, tick{x, tickLabel(at, step)})
		}
	}
	return c
}

func stepName(step time.Duration) string {
	switch {
	case step == time.Hour:
		return "an hour"
	case step < 24*time.Hour:
		return fmt.Sprintf("%d hours", int(step/time.Hour))
	case step == 24*time.Hour:
		return "a day"
	default:
		return fmt.Sprintf("%d days", int(step/(24*time.Hour)))
	}
}

func tickLabel(at time.Time, step time.Duration) string {
	if step < 24*time.Hour {
		return at.UTC().Format("2 Jan 15:04")
	}
	return at.UTC().Format("2 Jan 2006")
}
