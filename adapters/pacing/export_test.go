package pacing

// Known is how many domains are remembered.
func (p *Pacer) Known() int { return len(p.lanes.known) }
