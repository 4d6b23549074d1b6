package commands

import "github.com/cleversender/cleversender/domain/template"

// EditTemplate replaces a template's content. Campaigns that have started keep
// what they froze.
type EditTemplate struct {
	Template template.ID
	Name     string
	Content  template.Content
}

// Stream implements Command.
func (c EditTemplate) Stream() string { return template.Stream(c.Template) }

// Decide implements Command.
func (c EditTemplate) Decide(is template.Template) ([]template.Event, error) {
	switch {
	case is.Revision == 0:
		return nil, ErrNotFound
	case is.Name == c.Name && is.Content == c.Content:
		return nil, nil
	}
	if err := checkTemplate(c.Name, c.Content); err != nil {
		return nil, err
	}
	return []template.Event{template.Edited{Name: c.Name, Content: c.Content}}, nil
}
