// Package campaignlist answers which campaigns there are and where each stands.
package campaignlist

import "github.com/cleversender/cleversender/projections"

// Projection is to be hosted.
var Projection = projections.Projection{Name: "campaign_list", Version: 1}
