// Package campaignlist answers which campaigns there are and where each stands.
package campaignlist

import (
	"encoding/json"
	"fmt"

	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

var campaigns = &projections.Table{
	Name: "campaigns",
	Key:  []projections.Column{{Name: "account", Kind: projections.Bytes}, {Name: "campaign", Kind: projections.Bytes}},
	Values: []projections.Column{
		{Name: "newest", Kind: projections.Int}, // place in recent
		{Name: "status", Kind: projections.Text},
		{Name: "details", Kind: projections.Text}, // JSON of details
	},
}

// details of a campaign. Times are microseconds, as in any other column.
type details struct {
	Settings campaign.Settings
	Reason   string `json:",omitempty"`
	Throttle int    `json:",omitempty"`
	Created  int64
	Edited   int64
	StartAt  int64                   `json:",omitempty"`
	Started  int64                   `json:",omitempty"`
	Ended    int64                   `json:",omitempty"`
	Content  campaign.Content        `json:",omitzero"`
	Frozen   campaign.AudienceFrozen `json:",omitzero"`
	Totals   campaign.Finished       `json:",omitzero"`
}

var recent = projections.RecentTable("recent")

// due is the scheduled campaigns of every account, earliest first.
var due = &projections.Table{
	Name:   "due",
	Key:    []projections.Column{{Name: "start", Kind: projections.Int}, {Name: "campaign", Kind: projections.Bytes}},
	Values: []projections.Column{{Name: "account", Kind: projections.Bytes}},
}

// active is the campaigns of every account that are being sent or paused.
var active = &projections.Table{
	Name:   "active",
	Key:    []projections.Column{{Name: "campaign", Kind: projections.Bytes}},
	Values: []projections.Column{{Name: "account", Kind: projections.Bytes}},
}

// Projection is to be hosted.
var Projection = projections.Projection{
	Name: "campaign_list", Version: 3,
	Types: []string{
		"campaign.drafted", "campaign.edited", "campaign.scheduled", "campaign.unscheduled", "campaign.started",
		"campaign.audience_frozen", "campaign.paused", "campaign.resumed", "campaign.throttled", "campaign.cancelled", "campaign.finished", "campaign.resend_requested",
	},
	Tables: []*projections.Table{campaigns, recent, due, active},
	Fold: func(rows projections.Rows, events []event.Recorded) error {
		for _, e := range events {
			if err := apply(rows, e); err != nil {
				return err
			}
		}
		return nil
	},
}

func apply(rows projections.Rows, e event.Recorded) error {
	id, err := projections.StreamID(e.Stream)
	if err != nil {
		return err
	}
	account := e.Meta.Account
	row, err := rows.Get(campaigns, account[:], id[:])
	if err != nil {
		return err
	}
	var d details
	var was campaign.Status
	newest := projections.Newest(e.Position)
	if row != nil {
		newest, was = row[2].(int64), campaign.Status(row.Text(3))
		if err := json.Unmarshal([]byte(row.Text(4)), &d); err != nil {
			return fmt.Errorf("campaign %s: %w", id, err)
		}
	} else if err := rows.Put(recent, projections.RecentRow(e, id)); err != nil {
		return err
	}
	before := d.StartAt
	is := d.apply(was, e)
	if err := place(rows, e, id[:], was, is, before, d.StartAt); err != nil {
		return err
	}
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("campaign %s: %w", id, err)
	}
	return rows.Put(campaigns, projections.Row{account[:], id[:], newest, string(is), string(text)})
}

// apply is where the campaign stands after e.
func (d *details) apply(was campaign.Status, e event.Recorded) campaign.Status {
	at := projections.Micros(e.At)
	switch data := e.Data.(type) {
	case campaign.Drafted:
		d.Settings, d.Created, d.Edited = data.Settings, at, at
		return campaign.Draft
	case campaign.Edited:
		d.Settings, d.Edited = data.Settings, at
	case campaign.Scheduled:
		d.StartAt, d.Reason = projections.Micros(data.StartAt), ""
		return campaign.Waiting
	case campaign.Unscheduled:
		d.StartAt, d.Reason = 0, data.Reason
		return campaign.Draft
	case campaign.Started:
		d.Content, d.Started, d.Reason = data.Content, at, ""
		return campaign.Sending
	case campaign.AudienceFrozen:
		d.Frozen = data
	case campaign.Paused:
		d.Reason = data.Reason
		return campaign.Held
	case campaign.Resumed:
		d.Reason = ""
		return campaign.Sending
	case campaign.Throttled:
		d.Throttle = data.PerHour
	case campaign.Cancelled:
		d.Ended = at
		return campaign.CalledOff
	case campaign.ResendRequested:
		d.Ended = 0
		return campaign.Sending
	case campaign.Finished:
		d.Totals, d.Ended = data, at
		return campaign.Done
	}
	return was
}

// place keeps due and active as the status says.
func place(rows projections.Rows, e event.Recorded, id []byte, was, is campaign.Status, before, start int64) error {
	if was == campaign.Waiting && (is != campaign.Waiting || before != start) {
		if err := rows.Delete(due, before, id); err != nil {
			return err
		}
	}
	switch {
	case is == campaign.Waiting:
		return rows.Put(due, projections.Row{start, id, e.Meta.Account[:]})
	case is == campaign.Sending || is == campaign.Held:
		return rows.Put(active, projections.Row{id, e.Meta.Account[:]})
	case was == campaign.Sending || was == campaign.Held:
		return rows.Delete(active, id)
	}
	return nil
}
