package api_test

import (
	"strings"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
)

// fulfil is what the desk does with an access request.
func fulfil(request, person domain.ID) commands.FulfilAccess {
	return commands.FulfilAccess{Request: request, Person: person, Position: 1, Events: 3, SHA256: strings.Repeat("c", 64)}
}
