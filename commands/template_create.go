package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/template"
)

var (
	ErrTemplateSize = domain.Refuse("template_too_large", "subject, HTML and text together are at most 512 kB")
	ErrNoContent    = domain.Refuse("content_missing", "a template needs HTML, text or both")
)

// CreateTemplate makes a template.
type CreateTemplate struct {
	Template template.ID
	Name     string
	Content  template.Content
}

// Stream implements Command.
func (c CreateTemplate) Stream() string { return template.Stream(c.Template) }

// Decide implements Command.
func (c CreateTemplate) Decide(is template.Template) ([]template.Event, error) {
	created := template.Created{Name: c.Name, Content: c.Content}
	switch {
	case is.Revision > 0 && (created == is.First || c.Name == is.Name && c.Content == is.Content):
		return nil, nil
	case is.Revision > 0:
		return nil, ErrExists
	}
	if err := checkTemplate(c.Name, c.Content); err != nil {
		return nil, err
	}
	return []template.Event{created}, nil
}

// checkTemplate refuses what can never be a message; whether the Liquid in it
// is well-formed is for the renderer to say.
func checkTemplate(name string, c template.Content) error {
	if len(c.Subject)+len(c.HTML)+len(c.Text) > maxTemplate {
		return ErrTemplateSize
	}
	if c.HTML == "" && c.Text == "" {
		return ErrNoContent
	}
	for _, err := range []error{
		someLine("name", name, maxName),
		someLine("subject", c.Subject, maxLine),
		manyLines("HTML", c.HTML, maxTemplate),
		manyLines("text", c.Text, maxTemplate),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}
