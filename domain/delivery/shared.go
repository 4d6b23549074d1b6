package delivery

import (
	"slices"

	"github.com/cleversender/cleversender/domain"
)

// Only leaves of an event about several people what is about one.
func (e Intended) Only(person domain.ID) any {
	i := slices.Index(e.Subjects, person)
	if i < 0 || i >= len(e.Ordinals) || i >= len(e.Consents) {
		return Intended{Campaign: e.Campaign}
	}
	e.Subjects, e.Ordinals, e.Consents = e.Subjects[i:i+1], e.Ordinals[i:i+1], e.Consents[i:i+1]
	return e
}

// Only leaves of an event about several people what is about one.
func (e Accepted) Only(person domain.ID) any {
	i := slices.Index(e.Subjects, person)
	if i < 0 || i >= len(e.Ordinals) {
		return Accepted{Campaign: e.Campaign, Code: e.Code, Server: e.Server}
	}
	e.Subjects, e.Ordinals = e.Subjects[i:i+1], e.Ordinals[i:i+1]
	return e
}
