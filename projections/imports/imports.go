// Package imports answers which files were imported and what was left out.
package imports

import "github.com/cleversender/cleversender/projections"

// Projection is to be hosted.
var Projection = projections.Projection{Name: "imports", Version: 1}
