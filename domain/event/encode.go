package event

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/cleversender/cleversender/domain"
)

// An encoder appends the JSON of a value, byte for byte what encoding/json
// makes of it. It is made once a type: appends are what an engine does most.
type encoder func(b []byte, v reflect.Value) ([]byte, error)

// appendsJSON is a value that writes itself, such as a personal one.
type appendsJSON interface {
	AppendJSON(b []byte) ([]byte, error)
}

var (
	idType     = reflect.TypeFor[domain.ID]()
	timeType   = reflect.TypeFor[time.Time]()
	appendType = reflect.TypeFor[appendsJSON]()
	marshalers = []reflect.Type{reflect.TypeFor[json.Marshaler](), reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()}
)

// encoderOf knows the kinds that events are made of; the rest is left to
// encoding/json. Values must be addressable.
func encoderOf(t reflect.Type) encoder {
	switch {
	case t == idType:
		return encodeID
	case t == timeType:
		return encodeTime
	case reflect.PointerTo(t).Implements(appendType):
		return func(b []byte, v reflect.Value) ([]byte, error) {
			return v.Addr().Interface().(appendsJSON).AppendJSON(b)
		}
	}
	for _, m := range marshalers {
		if reflect.PointerTo(t).Implements(m) {
			return encodeOther
		}
	}
	switch t.Kind() {
	case reflect.String:
		return encodeString
	case reflect.Bool:
		return func(b []byte, v reflect.Value) ([]byte, error) { return strconv.AppendBool(b, v.Bool()), nil }
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Int16, reflect.Int8:
		return func(b []byte, v reflect.Value) ([]byte, error) { return strconv.AppendInt(b, v.Int(), 10), nil }
	case reflect.Uint, reflect.Uint64, reflect.Uint32, reflect.Uint16, reflect.Uint8:
		return func(b []byte, v reflect.Value) ([]byte, error) { return strconv.AppendUint(b, v.Uint(), 10), nil }
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 {
			return encodeSlice(encoderOf(t.Elem()))
		}
	case reflect.Struct:
		return encodeStruct(t)
	}
	return encodeOther
}

func encodeOther(b []byte, v reflect.Value) ([]byte, error) {
	data, err := json.Marshal(v.Addr().Interface())
	return append(b, data...), err
}

func encodeID(b []byte, v reflect.Value) ([]byte, error) {
	b, err := v.Addr().Interface().(*domain.ID).AppendText(append(b, '"'))
	return append(b, '"'), err
}

func encodeTime(b []byte, v reflect.Value) ([]byte, error) {
	b, err := v.Addr().Interface().(*time.Time).AppendText(append(b, '"'))
	return append(b, '"'), err
}

func encodeString(b []byte, v reflect.Value) ([]byte, error) {
	s := v.String()
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return encodeOther(b, v)
		}
	}
	return append(append(append(b, '"'), s...), '"'), nil
}

func encodeSlice(element encoder) encoder {
	return func(b []byte, v reflect.Value) (_ []byte, err error) {
		if v.IsNil() {
			return append(b, "null"...), nil
		}
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = element(b, v.Index(i)); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	}
}

// A member is a field of a struct that is stored.
type member struct {
	index     int
	typ       reflect.Type
	start     string // what stands before the value
	omitEmpty bool   // a string that is left out when empty; never the first member
}

// membersOf is not ok for structs with embedded, unexported or specially
// tagged fields, which are left to encoding/json.
func membersOf(t reflect.Type) (members []member, ok bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, tagged := f.Tag.Lookup("json")
		if tagged && name == "-" {
			continue
		}
		name, omitEmpty := strings.CutSuffix(name, ",omitempty")
		if omitEmpty && (len(members) == 0 || f.Type.Kind() != reflect.String) {
			return nil, false
		}
		if !tagged || f.Anonymous || !f.IsExported() || !plainName(name) {
			return nil, false
		}
		before := ","
		if len(members) == 0 {
			before = "{"
		}
		members = append(members, member{i, f.Type, before + `"` + name + `":`, omitEmpty})
	}
	return members, true
}

func encodeStruct(t reflect.Type) encoder {
	members, ok := membersOf(t)
	if !ok {
		return encodeOther
	}
	encoders := make([]encoder, len(members))
	for i, m := range members {
		encoders[i] = encoderOf(m.typ)
	}
	return func(b []byte, v reflect.Value) (_ []byte, err error) {
		for i, m := range members {
			if m.omitEmpty && v.Field(m.index).Len() == 0 {
				continue
			}
			if b, err = encoders[i](append(b, m.start...), v.Field(m.index)); err != nil {
				return nil, err
			}
		}
		if len(members) == 0 {
			b = append(b, '{')
		}
		return append(b, '}'), nil
	}
}

// plainName reports a name of small letters, digits and underscores, without options.
func plainName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
