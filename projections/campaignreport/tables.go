package campaignreport

import "github.com/cleversender/cleversender/projections"

// Counts of a report, in the order of its columns.
const (
	recipientsCount   = iota
	standingCount     // by delivery.Standing, seven of them
	deferralsCount    = standingCount + 7
	opensCount        = deferralsCount + 1 // Hits
	clicksCount       = opensCount + 4     // Hits
	unsubscribedCount = clicksCount + 4
	bouncedCount      = unsubscribedCount + 1 // Bounces
	complainedCount   = bouncedCount + 5
	counts            = complainedCount + 1
)

// Counts of an hour.
const (
	hourSent = iota
	hourFailed
	hourOpens
	hourMachineOpens
	hourClicks
	hourMachineClicks
	hourUnsubscribed
	hourCounts
)

// Kinds of reasons. They are stored.
const (
	withheld     = "withheld"
	failed       = "failed"
	deferred     = "deferred"
	machineOpen  = "machine_open"
	machineClick = "machine_click"
)

func bytesColumn(name string) projections.Column {
	return projections.Column{Name: name, Kind: projections.Bytes}
}

func ints(names ...string) []projections.Column {
	out := make([]projections.Column, len(names))
	for i, n := range names {
		out[i] = projections.Column{Name: n, Kind: projections.Int}
	}
	return out
}

var reports = &projections.Table{
	Name: "reports",
	Key:  []projections.Column{bytesColumn("campaign")},
	Values: append([]projections.Column{bytesColumn("account")}, ints("first", "last", "recipients",
		"to_waiting", "pending", "again", "sent", "withheld", "failed", "in_doubt", "deferrals",
		"opens", "human_opens", "openers", "human_openers", "clicks", "human_clicks", "clickers", "human_clickers",
		"unsubscribed", "bounced", "hard", "soft", "blocked", "auto_replies", "complained")...),
}

// recipients is a byte each, chunkSize of them in a row.
var recipients = &projections.Table{
	Name:   "recipients",
	Key:    append([]projections.Column{bytesColumn("campaign")}, ints("chunk")...),
	Values: []projections.Column{bytesColumn("state")},
}

// chunkSize is in bytes: SQLite takes a row of up to 1,000 without a page of its own,
// PostgreSQL of up to 2,000 as it is. Changing it is a new version.
const chunkSize = 960

// returned is likewise, of recipients of whom something was reported: few.
var returned = &projections.Table{
	Name:   "returned",
	Key:    append([]projections.Column{bytesColumn("campaign")}, ints("chunk")...),
	Values: []projections.Column{bytesColumn("reports")},
}

// segments is who recorded last what a segment's recipients get.
var segments = &projections.Table{
	Name:   "segments",
	Key:    []projections.Column{{Name: "stream", Kind: projections.Text}},
	Values: append(append([]projections.Column{bytesColumn("campaign")}, ints("first", "recipients")...), bytesColumn("worker")),
}

var links = &projections.Table{
	Name: "links",
	Key:  append([]projections.Column{bytesColumn("campaign")}, ints("link")...),
	Values: append([]projections.Column{{Name: "url", Kind: projections.Text}},
		ints("clicks", "human_clicks", "clickers", "human_clickers")...),
}

// linkPeople is two bits a recipient: clicked, and clicked with no sign of a machine.
var linkPeople = &projections.Table{
	Name:   "link_people",
	Key:    append([]projections.Column{bytesColumn("campaign")}, ints("link", "chunk")...),
	Values: []projections.Column{bytesColumn("bits")},
}

var hours = &projections.Table{
	Name: "hours",
	Key:  append([]projections.Column{bytesColumn("campaign")}, ints("start")...),
	Values: ints("sent", "failed", "opens", "machine_opens", "clicks", "machine_clicks",
		"unsubscribed"),
}

var reasons = &projections.Table{
	Name:   "reasons",
	Key:    []projections.Column{bytesColumn("campaign"), {Name: "kind", Kind: projections.Text}, {Name: "reason", Kind: projections.Text}},
	Values: ints("count"),
}
