package template

import "github.com/cleversender/cleversender/domain/event"

// Event is anything that happens to a template.
//
//sumtype:decl
type Event interface{ isTemplateEvent() }

// Created: the template exists.
type Created struct {
	Name    string  `json:"name"`
	Content Content `json:"content"`
}

// Edited: the template is now this, whole.
type Edited struct {
	Name    string  `json:"name"`
	Content Content `json:"content"`
}

// Content is Liquid: what the message says, before anybody's name is in it.
type Content struct {
	Subject string `json:"subject"`
	HTML    string `json:"html"`
	Text    string `json:"text"`
}

func (Created) isTemplateEvent() {}
func (Edited) isTemplateEvent()  {}

// Events is the wire contract of this package.
var Events = []event.Type{
	event.Define[Created]("template.created"),
	event.Define[Edited]("template.edited"),
}
