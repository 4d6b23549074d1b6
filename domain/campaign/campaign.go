// Package campaign is one mailing: drafted, scheduled, sent.
package campaign

import "github.com/cleversender/cleversender/domain"

// ID names a campaign.
type ID = domain.ID

// Stream is where the campaign's events live.
func Stream(id ID) string { return "campaign-" + id.String() }

// A Status is where a campaign stands. Names are API.
type Status string

const (
	None      Status = ""
	Draft     Status = "draft"
	Waiting   Status = "scheduled"
	Sending   Status = "sending"
	Held      Status = "paused"
	Done      Status = "finished"
	CalledOff Status = "cancelled"
)
