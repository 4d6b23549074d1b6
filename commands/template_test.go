package commands_test

import (
	"strings"
	"testing"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain/template"
)

var (
	hello  = template.Content{Subject: "Hello {{ name }}", HTML: "<p>Hi\n</p>", Text: "Hi\r\n\there"}
	bye    = template.Content{Subject: "Bye", Text: "Bye"}
	made   = template.Created{Name: "May", Content: hello}
	remade = template.Edited{Name: "June", Content: bye}
	make1  = CreateTemplate{one, "May", hello}
	edit1  = EditTemplate{one, "June", bye}
)

func TestCreateTemplate(t *testing.T) {
	check(t, []templateRow{
		{name: "makes a template", when: make1, then: templatePast{made}},
		{name: "asked twice", given: templatePast{made}, when: make1},
		{name: "asked again after an edit", given: templatePast{made, remade}, when: make1},
		{name: "asked with what it is now", given: templatePast{made, remade}, when: CreateTemplate{one, "June", bye}},
		{name: "other content", given: templatePast{made}, when: CreateTemplate{one, "May", bye}, refused: "already_exists"},
		{name: "other name", given: templatePast{made}, when: CreateTemplate{one, "June", hello}, refused: "already_exists"},
	})
}

func TestEditTemplate(t *testing.T) {
	check(t, []templateRow{
		{name: "replaces the content", given: templatePast{made}, when: edit1, then: templatePast{remade}},
		{name: "asked twice", given: templatePast{made, remade}, when: edit1},
		{name: "no such template", when: edit1, refused: "not_found"},
	})
}

func TestTemplateRefusals(t *testing.T) {
	for what, c := range map[string]struct {
		name    string
		content template.Content
		refused string
	}{
		"no name":          {"", hello, "text_missing"},
		"long name":        {long, hello, "text_too_long"},
		"bad name":         {"a\nb", hello, "bad_text"},
		"no subject":       {"May", template.Content{Text: "x"}, "text_missing"},
		"long subject":     {"May", template.Content{Subject: long, Text: "x"}, "text_too_long"},
		"injected header":  {"May", template.Content{Subject: "a\r\nBcc: x@example.org", Text: "x"}, "bad_text"},
		"nothing to say":   {"May", template.Content{Subject: "a"}, "content_missing"},
		"NUL in HTML":      {"May", template.Content{Subject: "a", HTML: "\x00"}, "bad_text"},
		"text, not UTF-8":  {"May", template.Content{Subject: "a", Text: "\xc3"}, "bad_text"},
		"larger than life": {"May", template.Content{Subject: "a", HTML: strings.Repeat("x", 512<<10)}, "template_too_large"},
	} {
		check(t, []templateRow{
			{name: "create: " + what, when: CreateTemplate{one, c.name, c.content}, refused: c.refused},
			{name: "edit: " + what, given: templatePast{made}, when: EditTemplate{one, c.name, c.content}, refused: c.refused},
		})
	}
	limit := template.Content{Subject: "a", HTML: strings.Repeat("x", 512<<10-1)}
	check(t, []templateRow{{name: "as large as it may be", when: CreateTemplate{one, "May", limit}, then: templatePast{template.Created{Name: "May", Content: limit}}}})
}
