// Package template is the content of a message, before it is somebody's.
package template

import "github.com/cleversender/cleversender/domain"

// ID names a template.
type ID = domain.ID

// Stream is where the template's events live. A revision of it is a content
// that never changes: campaigns freeze that.
func Stream(id ID) string { return "template-" + id.String() }
