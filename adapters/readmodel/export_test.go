package readmodel

import "time"

// SweepAfter makes older versions go sooner.
func SweepAfter(d time.Duration) { sweepAfter = d }
