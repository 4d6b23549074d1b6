package commands_test

import (
	"testing"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain/list"
)

var (
	letter  = list.Created{Name: "Letter", DoubleOptIn: true}
	archive = ArchiveList{one}
)

func TestCreateList(t *testing.T) {
	create := CreateList{List: one, Name: "Letter", DoubleOptIn: true}
	check(t, []listRow{
		{name: "makes a list", when: create, then: listPast{letter}},
		{name: "asked twice", given: listPast{letter}, when: create},
		{name: "asked again after it was archived", given: listPast{letter, list.Archived{}}, when: create},
		{name: "another name", given: listPast{letter}, when: CreateList{List: one, Name: "News", DoubleOptIn: true}, refused: "already_exists"},
		{name: "another opt-in", given: listPast{letter}, when: CreateList{List: one, Name: "Letter"}, refused: "already_exists"},
		{name: "no name", when: CreateList{List: one}, refused: "text_missing"},
		{name: "bad name", when: CreateList{List: one, Name: "a\r\nb"}, refused: "bad_text"},
	})
}

func TestArchiveList(t *testing.T) {
	check(t, []listRow{
		{name: "ends a list", given: listPast{letter}, when: archive, then: listPast{list.Archived{}}},
		{name: "asked twice", given: listPast{letter, list.Archived{}}, when: archive},
		{name: "no such list", when: archive, refused: "not_found"},
	})
}
