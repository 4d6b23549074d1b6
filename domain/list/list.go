// Package list is a mailing list: what people subscribe to.
package list

import "github.com/cleversender/cleversender/domain"

// ID names a list.
type ID = domain.ID

// Stream is where the list's events live.
func Stream(id ID) string { return "list-" + id.String() }
