// Package subjectindex answers which events concern whom.
package subjectindex

import "github.com/cleversender/cleversender/projections"

// Projection is to be hosted.
var Projection = projections.Projection{Name: "subject_index", Version: 1}
