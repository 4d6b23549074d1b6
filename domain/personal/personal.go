// Package personal marks values that belong to a person.
//
// A value is plain when it has just been given, sealed when it comes from the
// log or a read model, and erased when its key is gone. It prints and logs as
// "[personal]" in every state, and cannot be marshaled before it is sealed.
// Reveal is the one way to the plain value: search for it to audit its uses.
package personal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/cleversender/cleversender/domain"
)

// A Class groups values that are kept and destroyed together: one key a person
// and class. The numbers and names are stored; they never change.
type Class uint8

const (
	Identity  Class = 1 // who they are: address, name, attributes
	Behaviour Class = 2 // what they did: opens, clicks, with IP and client
	Telemetry Class = 3 // how account staff use the service
	Evidence  Class = 4 // what proves their consent: IP, client, wording
)

// Classes lists every class, by stored name.
var Classes = map[string]Class{"identity": Identity, "behaviour": Behaviour, "telemetry": Telemetry, "evidence": Evidence}

// KeyRef names the key of one person and class.
type KeyRef struct {
	Subject domain.ID
	Class   Class
}

const hidden = "[personal]"

// ErrNotSealed: a plain value was about to be stored or sent out in the clear.
var ErrNotSealed = errors.New("personal: marshaled before being sealed")

type state uint8

const (
	empty state = iota
	plain
	sealed
	erased
)

// box is what Text and Fields share: bytes in one of four states. The bytes
// stand behind a pointer to a string, the one thing that fmt never follows:
// it ignores the methods of unexported struct fields, and would print them.
type box struct {
	_     [0]func() // == would compare the addresses; Equal compares the bytes
	bytes *string   // plain or sealed, by state; nil in the others
	state state
}

func boxed(bytes string, s state) box { return box{bytes: &bytes, state: s} }

func (b box) equal(o box) bool {
	return b.state == o.state && (b.bytes == o.bytes || b.bytes != nil && o.bytes != nil && *b.bytes == *o.bytes)
}

// Value is a personal value that can be sealed and opened in place.
type Value interface {
	// Seal replaces plain bytes by sealed ones; it does nothing in any other state.
	Seal(func(plain []byte) []byte)
	// Open replaces sealed bytes by plain ones, which are copied; a nil open
	// marks the value erased.
	Open(open func(sealed string) (plain []byte, err error)) error
	// IsEmpty reports that no value was ever given.
	IsEmpty() bool
}

// Seal implements Value.
func (b *box) Seal(seal func([]byte) []byte) {
	if b.state == plain {
		*b = boxed(string(seal([]byte(*b.bytes))), sealed)
	}
}

// Open implements Value.
func (b *box) Open(open func(string) ([]byte, error)) error {
	if b.state != sealed {
		return nil
	}
	if open == nil {
		*b = box{state: erased}
		return nil
	}
	p, err := open(*b.bytes)
	if err != nil {
		return err
	}
	*b = boxed(string(p), plain)
	return nil
}

// IsEmpty implements Value.
func (b box) IsEmpty() bool { return b.state == empty }

// IsErased reports that the value's key is gone: nobody can read it again.
func (b box) IsErased() bool { return b.state == erased }

// Sealed is the sealed form, for read models; nil unless sealed.
func (b box) Sealed() []byte {
	if b.state != sealed {
		return nil
	}
	return []byte(*b.bytes)
}

func (box) String() string             { return hidden }
func (box) GoString() string           { return hidden }
func (box) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }
func (box) LogValue() slog.Value       { return slog.StringValue(hidden) }

// MarshalJSON writes a sealed value: base64url (RFC 4648, section 5), no padding.
func (b box) MarshalJSON() ([]byte, error) { return b.AppendJSON(nil) }

// AppendJSON is MarshalJSON into a buffer.
func (b box) AppendJSON(out []byte) ([]byte, error) {
	switch b.state {
	case empty:
		return append(out, `""`...), nil
	case sealed:
		out = append(out, '"')
		out = base64.RawURLEncoding.AppendEncode(out, []byte(*b.bytes))
		return append(out, '"'), nil
	default:
		return nil, ErrNotSealed
	}
}

var errNotBase64 = errors.New("personal: a sealed value is a base64url string")

// UnmarshalJSON reads a sealed value: base64url (RFC 4648, section 5), no padding.
func (b *box) UnmarshalJSON(data []byte) error {
	text := data
	if n := len(data); n >= 2 && data[0] == '"' && data[n-1] == '"' && bytes.IndexByte(data, '\\') < 0 {
		text = data[1 : n-1]
	} else {
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return errNotBase64
		}
		text = []byte(s)
	}
	var small [512]byte
	raw := small[:]
	if most := base64.RawURLEncoding.DecodedLen(len(text)); most > len(raw) {
		raw = make([]byte, most)
	}
	n, err := base64.RawURLEncoding.Decode(raw, text)
	if err != nil {
		return errNotBase64
	}
	*b = box{}
	if n > 0 {
		*b = boxed(string(raw[:n]), sealed)
	}
	return nil
}

// Text is one personal string.
type Text struct{ box }

// Of marks s as personal; "" is the empty Text.
func Of(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{boxed(s, plain)}
}

// SealedText is a Text read back from where Sealed put it.
func SealedText[B []byte | string](b B) Text {
	if len(b) == 0 {
		return Text{}
	}
	return Text{boxed(string(b), sealed)}
}

// Reveal is the plain value; ok is false when it is erased or still sealed.
// An empty Text reveals "" and true.
func (t Text) Reveal() (value string, ok bool) {
	if t.state != plain {
		return "", t.state == empty
	}
	return *t.bytes, true
}

// Equal reports the same state and the same bytes. Sealed values differ even
// when what they hide does not.
func (t Text) Equal(o Text) bool { return t.equal(o.box) }

// Fields is a set of named personal strings, sealed as one value. The names
// are schema, the values belong to the person.
type Fields struct{ box }

// FieldsOf marks the values of m as personal; an empty map is the empty Fields.
func FieldsOf(m map[string]string) Fields {
	if len(m) == 0 {
		return Fields{}
	}
	raw, _ := json.Marshal(m) // strings always marshal; keys come out sorted
	return Fields{boxed(string(raw), plain)}
}

// SealedFields is a Fields read back from where Sealed put it.
func SealedFields[B []byte | string](b B) Fields {
	if len(b) == 0 {
		return Fields{}
	}
	return Fields{boxed(string(b), sealed)}
}

// Reveal is the plain map, the caller's to keep; ok is false when it is erased
// or still sealed. An empty Fields reveals nil and true.
func (f Fields) Reveal() (values map[string]string, ok bool) {
	if f.state != plain {
		return nil, f.state == empty
	}
	values = map[string]string{}
	ok = f.RevealEach(func(name, value string) bool {
		values[name] = value
		return true
	})
	return values, ok
}

// RevealEach gives every name and plain value to yield, by name, until yield
// says false; ok is false when they are erased or still sealed. It is Reveal
// without the map, for checks on many rows.
func (f Fields) RevealEach(yield func(name, value string) bool) (ok bool) {
	if f.state != plain {
		return f.state == empty
	}
	rest := *f.bytes // what FieldsOf wrote: {"name":"value","name":"value"}
	for len(rest) > 1 {
		name, after, ok1 := quoted(rest[1:])
		value, after, ok2 := quoted(strings.TrimPrefix(after, ":"))
		if !ok1 || !ok2 || after == "" {
			return false
		}
		if !yield(name, value) {
			return true
		}
		rest = after
	}
	return rest == "}"
}

// quoted reads the JSON string that s begins with.
func quoted(s string) (text, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		return "", "", false
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			if text = s[1:i]; strings.IndexByte(text, '\\') < 0 {
				return text, s[i+1:], true
			}
			text, ok = unescaped(s[:i+1])
			return text, s[i+1:], ok
		}
	}
	return "", "", false
}

func unescaped(literal string) (text string, ok bool) {
	err := json.Unmarshal([]byte(literal), &text)
	return text, err == nil
}

// Equal reports the same state and the same bytes. Sealed values differ even
// when what they hide does not.
func (f Fields) Equal(o Fields) bool { return f.equal(o.box) }
