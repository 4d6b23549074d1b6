// Package audience answers who is held, who is on which list, and whom mail may go to.
package audience

import "github.com/cleversender/cleversender/projections"

// Projection is to be hosted.
var Projection = projections.Projection{Name: "audience", Version: 1}
