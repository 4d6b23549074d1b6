package list

import "github.com/cleversender/cleversender/domain/event"

// Event is anything that happens to a list.
//
//sumtype:decl
type Event interface{ isListEvent() }

// Created: people can be added to the list.
type Created struct {
	Name        string `json:"name"`
	DoubleOptIn bool   `json:"double_opt_in"` // consent counts once confirmed
}

// Archived: nothing can be sent to the list any more; its history stays.
type Archived struct{}

func (Created) isListEvent()  {}
func (Archived) isListEvent() {}

// Events is the wire contract of this package.
var Events = []event.Type{
	event.Define[Created]("list.created"),
	event.Define[Archived]("list.archived"),
}
