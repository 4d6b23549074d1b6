package commands

import (
	"strings"
	"unicode/utf8"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// What text from outside may be. Lengths are in octets.
const (
	maxName      = 200
	maxLine      = 998 // RFC 5322, section 2.1.1
	maxAddress   = 254 // RFC 5321, section 4.5.3.1.3, less the angle brackets
	maxLocal     = 64  // RFC 5321, section 4.5.3.1.1
	maxNote      = 500
	maxAttribute = 1000
	maxAttrName  = 64
	maxAttrs     = 50
	maxTemplate  = 512 << 10
	maxIP        = 64
	maxClient    = 500
	maxSignal    = 64
	maxStatus    = 64
)

// oneLine refuses text that could break out of a header or a table: controls,
// line breaks among them, and bytes that are not UTF-8, or that were not before
// somebody replaced them by U+FFFD.
func oneLine(field, s string, most int) error { return checkText(field, s, most, "") }

// someLine is oneLine of text that must be there.
func someLine(field, s string, most int) error {
	if strings.TrimSpace(s) == "" {
		return domain.Refuse("text_missing", "the "+field+" is empty")
	}
	return oneLine(field, s, most)
}

// manyLines is oneLine for text that may hold line breaks and tabs.
func manyLines(field, s string, most int) error { return checkText(field, s, most, "\n\r\t") }

func checkText(field, s string, most int, allowed string) error {
	if len(s) > most {
		return domain.Refuse("text_too_long", "the "+field+" is too long")
	}
	for _, r := range s {
		if bad(r) && !strings.ContainsRune(allowed, r) {
			return domain.Refuse("bad_text", "the "+field+" holds a control character or bytes that are not text")
		}
	}
	return nil
}

// bad: C0, DEL, C1, the line and paragraph separators, and what is not UTF-8.
func bad(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == utf8.RuneError
}

// ErrBadAddress: the text is no e-mail address.
var ErrBadAddress = domain.Refuse("bad_address", "the e-mail address is not valid")

// address refuses what no e-mail address is; adapters look closer (RFC 5321, RFC 6531).
func address(s string) error {
	local, host, ok := strings.Cut(s, "@")
	if !ok || local == "" || host == "" || len(s) > maxAddress || len(local) > maxLocal || strings.Contains(host, "@") {
		return ErrBadAddress
	}
	for _, r := range s {
		if bad(r) || r == ' ' || r == 0xa0 || r == '<' || r == '>' || r == ',' || r == ';' {
			return ErrBadAddress
		}
	}
	return nil
}

// profile refuses personal data that cannot be held. Plain values only.
func profile(email, name personal.Text, attributes personal.Fields) error {
	mail, ok := email.Reveal()
	if !ok {
		return ErrBadAddress
	}
	if err := address(mail); err != nil {
		return err
	}
	called, ok := name.Reveal()
	if !ok {
		return errUnreadable
	}
	if err := oneLine("name", called, maxName); err != nil {
		return err
	}
	return fields(attributes)
}

// note refuses a remark about a person that cannot be held. Plain values only.
func note(t personal.Text) error {
	s, ok := t.Reveal()
	if !ok {
		return errUnreadable
	}
	return manyLines("note", s, maxNote)
}

// someNote is note of a remark that must be there.
func someNote(t personal.Text) error {
	if s, ok := t.Reveal(); ok && strings.TrimSpace(s) == "" {
		return domain.Refuse("text_missing", "the note is empty")
	}
	return note(t)
}

var (
	errUnreadable = domain.Refuse("bad_text", "a personal value is not readable")
	errManyFields = domain.Refuse("too_many_attributes", "a person has at most 50 attributes")
)

func fields(attributes personal.Fields) error {
	var err error
	n := 0
	readable := attributes.RevealEach(func(name, value string) bool {
		n++
		switch {
		case n > maxAttrs:
			err = errManyFields
		case len(name) > maxAttrName || name == "":
			err = domain.Refuse("bad_attribute_name", "an attribute's name is empty or longer than 64 octets")
		default:
			if err = oneLine("name of an attribute", name, maxAttrName); err == nil {
				err = manyLines("value of an attribute", value, maxAttribute)
			}
		}
		return err == nil
	})
	if err == nil && !readable {
		return errUnreadable
	}
	return err
}

// clip makes evidence fit to be kept: what is too long is cut, what is no text
// becomes a space. It never refuses: an odd user agent must not stand in the
// way of a withdrawal.
func clip(t personal.Text, most int) personal.Text {
	s, ok := t.Reveal()
	if !ok || checkText("", s, most, "") == nil {
		return t
	}
	s = strings.Map(func(r rune) rune {
		if bad(r) {
			return ' '
		}
		return r
	}, s[:min(len(s), most)])
	return personal.Of(strings.TrimSpace(s))
}

// hexDigest refuses what is no SHA-256 in lower-case hex.
func hexDigest(s string) error {
	if len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "" {
		return ErrBadDigest
	}
	return nil
}

// ErrBadDigest: the text is no SHA-256.
var ErrBadDigest = domain.Refuse("bad_digest", "a SHA-256 is 64 hexadecimal digits, lower case")
