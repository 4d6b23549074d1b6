package domain

import (
	"crypto/sha1"
	"encoding/hex"
)

// ID names a thing or a person. It is a UUID (RFC 9562) in binary form: made
// at random outside the domain, or derived here; never from personal data.
type ID [16]byte

// ErrBadID: the text is not a UUID.
var ErrBadID = Refuse("bad_id", "the id is not a UUID")

// ParseID reads the 36-character form of RFC 9562, section 4.
func ParseID(s string) (ID, error) {
	var id ID
	return id, id.UnmarshalText([]byte(s))
}

// Derive makes the UUIDv5 (RFC 9562, section 5.5) of name in the space of id:
// the same two inputs always give the same id, which is what makes a retry safe.
func (id ID) Derive(name string) ID {
	buf := make([]byte, 0, 160)
	buf = append(append(buf, id[:]...), name...)
	sum := sha1.Sum(buf)
	out := ID(sum[:16])
	out[6] = out[6]&0x0f | 0x50
	out[8] = out[8]&0x3f | 0x80
	return out
}

// IsZero reports whether the id names nothing.
func (id ID) IsZero() bool { return id == ID{} }

func (id ID) String() string {
	text, _ := id.AppendText(make([]byte, 0, 36))
	return string(text)
}

// AppendText appends the 36-character form; the zero ID is empty.
func (id ID) AppendText(b []byte) ([]byte, error) {
	if id.IsZero() {
		return b, nil
	}
	var text [36]byte
	hex.Encode(text[:8], id[:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:], id[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return append(b, text[:]...), nil
}

// MarshalText writes the 36-character form; the zero ID is empty.
func (id ID) MarshalText() ([]byte, error) { return id.AppendText(make([]byte, 0, 36)) }

// UnmarshalText reads the 36-character form; empty text is the zero ID.
func (id *ID) UnmarshalText(text []byte) error {
	*id = ID{}
	if len(text) == 0 {
		return nil
	}
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return ErrBadID
	}
	at := 0
	for _, part := range [][]byte{text[:8], text[9:13], text[14:18], text[19:23], text[24:]} {
		n, err := hex.Decode(id[at:], part)
		if err != nil {
			*id = ID{}
			return ErrBadID
		}
		at += n
	}
	return nil
}
