package bounce

import (
	"mime"
	"strings"

	"github.com/emersion/go-message/charset"
)

// fields is a block of header fields, read as well as can be: lines that are
// none are skipped, since what is returned is often cut or edited.
type fields []field

type field struct{ name, value string }

// maxFields bounds a block.
const maxFields = 500

// readFields reads the block that a text begins with, and returns what follows
// the empty line (RFC 5322, section 2.2).
func readFields(text string) (block fields, rest string) {
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		line = strings.TrimRight(line, "\r")
		if strings.TrimSpace(line) == "" {
			return block, text
		}
		if last := len(block) - 1; last >= 0 && (line[0] == ' ' || line[0] == '\t') {
			block[last].value += " " + strings.TrimSpace(line)
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if ok && len(block) < maxFields && !strings.ContainsAny(strings.TrimSpace(name), " \t") {
			block = append(block, field{strings.TrimSpace(name), strings.TrimSpace(value)})
		}
	}
	return block, ""
}

// get is the first field with a name, or "".
func (f fields) get(name string) string {
	for _, one := range f {
		if strings.EqualFold(one.name, name) {
			return one.value
		}
	}
	return ""
}

var words = mime.WordDecoder{CharsetReader: charset.Reader}

// decoded is a field's value with its encoded words read (RFC 2047).
func decoded(value string) string {
	if plain, err := words.DecodeHeader(value); err == nil {
		return plain
	}
	return value
}

// typed splits a field such as "rfc822; ann@example.org" (RFC 3464, section
// 2.1.2) and returns what follows the type.
func typed(value string) string {
	if _, after, ok := strings.Cut(value, ";"); ok {
		value = after
	}
	return strings.TrimSpace(value)
}
