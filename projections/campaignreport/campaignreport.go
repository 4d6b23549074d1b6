// Package campaignreport answers what became of a campaign.
package campaignreport

import "github.com/cleversender/cleversender/projections"

// Projection is to be hosted.
var Projection = projections.Projection{Name: "campaign_report", Version: 1}
