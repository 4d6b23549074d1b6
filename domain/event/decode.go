package event

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/cleversender/cleversender/domain"
)

// A decoder reads the JSON that an encoder writes, field after field in that
// order, off the front of data. Anything else (another order, spaces, escapes,
// null) is not ok, and is left to encoding/json: it then comes out the same,
// only slower. v is a zero value.
type decoder func(data []byte, v reflect.Value) (rest []byte, ok bool)

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// decoderOf is nil for what encoding/json has to read.
func decoderOf(t reflect.Type) decoder {
	switch {
	case t == idType:
		return decodeID
	case t == timeType:
		return decodeTime
	case reflect.PointerTo(t).Implements(appendType) && reflect.PointerTo(t).Implements(unmarshaler):
		return decodeSelf
	}
	for _, m := range append(marshalers, unmarshaler) {
		if reflect.PointerTo(t).Implements(m) {
			return nil
		}
	}
	switch t.Kind() {
	case reflect.String:
		return decodeString
	case reflect.Bool:
		return decodeBool
	case reflect.Int, reflect.Int64:
		return decodeInt
	case reflect.Uint64:
		return decodeUint
	case reflect.Slice:
		if element := decoderOf(t.Elem()); element != nil && t.Elem().Kind() != reflect.Uint8 {
			return decodeSlice(element)
		}
	case reflect.Struct:
		return decodeStruct(t)
	}
	return nil
}

// quoted takes a string without escapes off the front, quotes included.
func quoted(data []byte) (text, rest []byte, ok bool) {
	if len(data) == 0 || data[0] != '"' {
		return nil, nil, false
	}
	end := bytes.IndexByte(data[1:], '"')
	if end < 0 {
		return nil, nil, false
	}
	text, ascii := data[:end+2], true
	for _, c := range text {
		if c < ' ' || c == '\\' {
			return nil, nil, false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return text, data[end+2:], ascii || utf8.Valid(text)
}

func decodeString(data []byte, v reflect.Value) ([]byte, bool) {
	text, rest, ok := quoted(data)
	if ok {
		v.SetString(string(text[1 : len(text)-1]))
	}
	return rest, ok
}

func decodeID(data []byte, v reflect.Value) ([]byte, bool) {
	text, rest, ok := quoted(data)
	return rest, ok && v.Addr().Interface().(*domain.ID).UnmarshalText(text[1:len(text)-1]) == nil
}

func decodeTime(data []byte, v reflect.Value) ([]byte, bool) {
	text, rest, ok := quoted(data)
	return rest, ok && v.Addr().Interface().(*time.Time).UnmarshalJSON(text) == nil
}

func decodeSelf(data []byte, v reflect.Value) ([]byte, bool) {
	text, rest, ok := quoted(data)
	return rest, ok && v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(text) == nil
}

func decodeBool(data []byte, v reflect.Value) ([]byte, bool) {
	if rest, ok := bytes.CutPrefix(data, []byte("true")); ok {
		v.SetBool(true)
		return rest, true
	}
	return bytes.CutPrefix(data, []byte("false"))
}

// digits is how many octets at the front are a whole number in JSON's form
// that no 64 bits overflow; 0: none.
func digits(data []byte) int {
	n := 0
	for n < len(data) && '0' <= data[n] && data[n] <= '9' {
		n++
	}
	if n > 18 || n > 1 && data[0] == '0' {
		return 0
	}
	return n
}

func decodeInt(data []byte, v reflect.Value) ([]byte, bool) {
	rest, minus := bytes.CutPrefix(data, []byte("-"))
	n := digits(rest)
	number, err := strconv.ParseInt(string(rest[:n]), 10, 64)
	if minus {
		number = -number
	}
	v.SetInt(number)
	return rest[n:], err == nil
}

func decodeUint(data []byte, v reflect.Value) ([]byte, bool) {
	n := digits(data)
	number, err := strconv.ParseUint(string(data[:n]), 10, 64)
	v.SetUint(number)
	return data[n:], err == nil
}

func decodeSlice(element decoder) decoder {
	return func(data []byte, v reflect.Value) ([]byte, bool) {
		if rest, ok := bytes.CutPrefix(data, []byte("null")); ok {
			return rest, true
		}
		data, ok := bytes.CutPrefix(data, []byte("["))
		if !ok {
			return nil, false
		}
		v.Set(reflect.MakeSlice(v.Type(), 0, 4))
		if rest, empty := bytes.CutPrefix(data, []byte("]")); empty {
			return rest, true
		}
		for {
			n := v.Len()
			v.Grow(1)
			v.SetLen(n + 1)
			if data, ok = element(data, v.Index(n)); !ok || len(data) == 0 {
				return nil, false
			}
			separator := data[0]
			data = data[1:]
			switch separator {
			case ']':
				return data, true
			case ',':
			default:
				return nil, false
			}
		}
	}
}

func decodeStruct(t reflect.Type) decoder {
	members, ok := membersOf(t)
	if !ok {
		return nil
	}
	starts, decoders := make([][]byte, len(members)), make([]decoder, len(members))
	for i, m := range members {
		starts[i], decoders[i] = []byte(m.start), decoderOf(m.typ)
		if decoders[i] == nil {
			return nil
		}
	}
	return func(data []byte, v reflect.Value) (_ []byte, ok bool) {
		if len(members) == 0 {
			return bytes.CutPrefix(data, []byte("{}"))
		}
		for i, m := range members {
			rest, found := bytes.CutPrefix(data, starts[i])
			switch {
			case found:
				data = rest
			case m.omitEmpty:
				v.Field(m.index).SetZero()
				continue
			default:
				return nil, false
			}
			if data, ok = decoders[i](data, v.Field(m.index)); !ok {
				return nil, false
			}
		}
		return bytes.CutPrefix(data, []byte("}"))
	}
}
