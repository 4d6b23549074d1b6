package commands

import (
	"slices"
	"strings"

	"github.com/cleversender/cleversender/domain"
)

// CodeBlocked is the code of the refusal that names what preflight found. It is API.
const CodeBlocked = "preflight_blocked"

var errForce = domain.Refuse("bad_force", "what is forced is codes of findings, at most 50, of letters, digits and underscores")

// overridden is what blocks and is forced; what blocks and is not is refused.
func overridden(blocked, force []string) ([]string, error) {
	if len(force) > 50 {
		return nil, errForce
	}
	for _, code := range force {
		if code == "" || len(code) > 64 || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return nil, errForce
		}
	}
	var forced, left []string
	for _, code := range codes(blocked) {
		if slices.Contains(force, code) {
			forced = append(forced, code)
		} else {
			left = append(left, code)
		}
	}
	if len(left) > 0 {
		return nil, domain.Refuse(CodeBlocked, "preflight holds the campaign back: "+strings.Join(left, ", "))
	}
	return forced, nil
}

// codes are in order, each once; nil when there are none.
func codes(some []string) []string {
	if len(some) == 0 {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(some)))
}
