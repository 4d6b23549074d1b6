package commands_test

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

var (
	mail  = text("ada@example.org")
	name  = text("Ada Lovelace")
	city  = personal.FieldsOf(map[string]string{"city": "London"})
	added = subscriber.Added{Email: mail, Name: name, Attributes: city, Source: subscriber.SourceAPI}
	onOne = subscriber.Joined{List: one}
	gone  = subscriber.Erased{Request: three}
	moved = subscriber.Rectified{Email: mail, Name: name, Source: subscriber.SourceAPI}

	add     = AddSubscriber{Person: ada, Email: mail, Name: name, Attributes: city, List: one, Source: subscriber.SourceAPI}
	rectify = RectifySubscriber{Person: ada, Email: mail, Name: name, Source: subscriber.SourceAPI}
)

func TestAddSubscriber(t *testing.T) {
	with := func(change func(*AddSubscriber)) AddSubscriber { c := add; change(&c); return c }
	listless := with(func(c *AddSubscriber) { c.List = [16]byte{} })
	check(t, []subscriberRow{
		{name: "adds to a list", when: add, then: subscriberPast{added, onOne}},
		{name: "adds to none", when: listless, then: subscriberPast{added}},
		{name: "asked twice", given: subscriberPast{added, onOne}, when: add},
		{name: "asked again for another list", given: subscriberPast{added}, when: add, then: subscriberPast{onOne}},
		{name: "asked again after a rectification", given: subscriberPast{added, onOne, moved}, when: add},
		{name: "asked with what was rectified", given: subscriberPast{added, onOne, moved}, when: with(func(c *AddSubscriber) { c.Attributes = personal.Fields{} })},
		{name: "somebody else's data", given: subscriberPast{added}, when: with(func(c *AddSubscriber) { c.Name = text("Bob") }), refused: "already_exists"},
		{name: "erased", given: subscriberPast{added, gone}, when: add, refused: "subject_erased"},
		{name: "unknown source", when: with(func(c *AddSubscriber) { c.Source = "telepathy" }), refused: "unknown_source"},
		{name: "no address", when: with(func(c *AddSubscriber) { c.Email = text("") }), refused: "bad_address"},
		{name: "sealed address", when: with(func(c *AddSubscriber) { c.Email = personal.SealedText([]byte("x")) }), refused: "bad_address"},
		{name: "sealed name", when: with(func(c *AddSubscriber) { c.Name = personal.SealedText([]byte("x")) }), refused: "bad_text"},
		{name: "sealed attributes", when: with(func(c *AddSubscriber) { c.Attributes = personal.SealedFields([]byte("x")) }), refused: "bad_text"},
		{name: "long name", when: with(func(c *AddSubscriber) { c.Name = text(long) }), refused: "text_too_long"},
	})
	for what, line := range badLines {
		check(t, []subscriberRow{{name: what, when: with(func(c *AddSubscriber) { c.Name = text(line) }), refused: "bad_text"}})
	}
}

func TestAddresses(t *testing.T) {
	for _, ok := range []string{"a@b", "ada+x@example.org", "δοκιμή@παράδειγμα.gr", "o'brien@example.org", strings.Repeat("a", 64) + "@example.org"} {
		c := add
		c.Email = text(ok)
		want := added
		want.Email = c.Email
		check(t, []subscriberRow{{name: ok, when: c, then: subscriberPast{want, onOne}}})
	}
	for what, bad := range map[string]string{
		"no at": "ada", "two": "ada@b@c", "no local": "@example.org", "no host": "ada@", "space": "ada l@example.org", "no-break space": "ada\u00a0l@example.org",
		"long": "ada@" + strings.Repeat("x", 251), "long local": strings.Repeat("a", 65) + "@example.org", "CRLF": "ada@example.org\r\nBcc: x",
		"NUL": "ada@example.org\x00", "not UTF-8": "ada@\xff", "two addresses": "ada@example.org,b", "named": "Ada <ada@example.org>",
	} {
		c := add
		c.Email = text(bad)
		check(t, []subscriberRow{{name: what, when: c, refused: "bad_address"}})
	}
}

func TestAttributes(t *testing.T) {
	many := map[string]string{}
	for i := range 51 {
		many[fmt.Sprint("n", i)] = "x"
	}
	for code, m := range map[string]map[string]string{
		"too_many_attributes": many,
		"bad_attribute_name":  {long: "x"},
		"text_too_long":       {"a": long},
		"bad_text":            {"a": "x\x00"},
	} {
		c := add
		c.Attributes = personal.FieldsOf(m)
		check(t, []subscriberRow{{name: code, when: c, refused: code}})
	}
	for what, m := range map[string]map[string]string{"no name": {"": "x"}, "odd name": {"a\nb": "x"}, "not UTF-8": {"a": "\xff"}} {
		c, code := add, "bad_text"
		if what == "no name" {
			code = "bad_attribute_name"
		}
		c.Attributes = personal.FieldsOf(m)
		check(t, []subscriberRow{{name: what, when: c, refused: code}})
	}
	delete(many, "n0")
	for what, m := range map[string]map[string]string{"fifty": many, "an address of many lines": {"post": "1 High St\r\nLondon\t<UK>"}} {
		c, want := add, added
		c.Attributes = personal.FieldsOf(m)
		want.Attributes = c.Attributes
		check(t, []subscriberRow{{name: what, when: c, then: subscriberPast{want, onOne}}})
	}
}

func TestRectifySubscriber(t *testing.T) {
	with := func(change func(*RectifySubscriber)) RectifySubscriber { c := rectify; change(&c); return c }
	check(t, []subscriberRow{
		{name: "replaces the data, whole", given: subscriberPast{added}, when: rectify, then: subscriberPast{moved}},
		{name: "asked twice", given: subscriberPast{added, moved}, when: rectify},
		{name: "nobody", when: rectify, refused: "not_found"},
		{name: "erased", given: subscriberPast{added, gone}, when: rectify, refused: "subject_erased"},
		{name: "unknown source", given: subscriberPast{added}, when: with(func(c *RectifySubscriber) { c.Source = "" }), refused: "unknown_source"},
		{name: "no address", given: subscriberPast{added}, when: with(func(c *RectifySubscriber) { c.Email = text("x") }), refused: "bad_address"},
		{name: "bad name", given: subscriberPast{added}, when: with(func(c *RectifySubscriber) { c.Name = text("a\nb") }), refused: "bad_text"},
	})
}

func TestEraseSubscriber(t *testing.T) {
	erase := EraseSubscriber{Person: ada, Request: three}
	check(t, []subscriberRow{
		{name: "redacts", given: subscriberPast{added, onOne}, when: erase, then: subscriberPast{gone}},
		{name: "asked twice", given: subscriberPast{added, gone}, when: erase},
		{name: "asked by another request", given: subscriberPast{added, gone}, when: EraseSubscriber{Person: ada, Request: two}},
		{name: "nobody", when: erase, refused: "not_found"},
		{name: "no request", given: subscriberPast{added}, when: EraseSubscriber{Person: ada}, refused: "request_required"},
	})
}
