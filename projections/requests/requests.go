// Package requests answers what data subjects asked for, and by when.
package requests

import "github.com/cleversender/cleversender/projections"

// Projection is to be hosted.
var Projection = projections.Projection{Name: "requests", Version: 1}
