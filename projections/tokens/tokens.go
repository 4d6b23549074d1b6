// Package tokens answers for whom a bearer token acts.
package tokens

import "github.com/cleversender/cleversender/projections"

// Projection is to be hosted.
var Projection = projections.Projection{Name: "tokens", Version: 1}
