// Package templates answers which templates there are.
package templates

import "github.com/cleversender/cleversender/projections"

// Projection is to be hosted.
var Projection = projections.Projection{Name: "templates", Version: 1}
