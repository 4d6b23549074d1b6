// Package catalog lists every projection of the engine.
package catalog

import (
	"github.com/cleversender/cleversender/projections"
	"github.com/cleversender/cleversender/projections/audience"
	"github.com/cleversender/cleversender/projections/campaignlist"
	"github.com/cleversender/cleversender/projections/campaignreport"
	"github.com/cleversender/cleversender/projections/dkimkeys"
	"github.com/cleversender/cleversender/projections/imports"
	"github.com/cleversender/cleversender/projections/messages"
	"github.com/cleversender/cleversender/projections/requests"
	"github.com/cleversender/cleversender/projections/subjectindex"
	"github.com/cleversender/cleversender/projections/templates"
	"github.com/cleversender/cleversender/projections/tokens"
)

// All is what a host hosts.
var All = []projections.Projection{
	audience.Projection, subjectindex.Projection, campaignreport.Projection, campaignlist.Projection,
	templates.Projection, imports.Projection, requests.Projection, tokens.Projection, messages.Projection,
	dkimkeys.Projection,
}
