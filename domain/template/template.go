// Package template is the content of a message, before it is somebody's.
package template

import "github.com/cleversender/cleversender/domain"

// ID names a template.
type ID = domain.ID

// Stream is where the template's events live. A revision of it is a content
// that never changes: campaigns freeze that.
func Stream(id ID) string { return "template-" + id.String() }

// Template is what decisions about a template need to know.
type Template struct {
	Revision uint64 // how many contents there have been; 0: it does not exist
	Name     string
	Content  Content
	First    Created // the same creation, sent again, is no news
}

// Evolve replays one event.
func (t Template) Evolve(e Event) Template {
	switch e := e.(type) {
	case Created:
		t.Name, t.Content, t.First = e.Name, e.Content, e
	case Edited:
		t.Name, t.Content = e.Name, e.Content
	}
	t.Revision++
	return t
}
