package catalog_test

import (
	"reflect"
	"strings"
	"time"

	"github.com/cleversender/cleversender/domain/personal"
)

// filled makes an event with every stored field set, so that none escapes the
// golden file.
// filled has a value in every field; without later, not in those that may be
// left out.
func filled(typ reflect.Type, later bool) any {
	v := reflect.New(typ).Elem()
	fill(v, typ.Name())
	if !later {
		leaveOut(v)
	}
	return v.Interface()
}

// leaveOut empties the fields that may be left out, and reports whether there are any.
func leaveOut(v reflect.Value) (some bool) {
	if v.Kind() != reflect.Struct {
		return false
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch {
		case !f.IsExported():
		case strings.HasSuffix(f.Tag.Get("json"), ",omitempty"), strings.HasSuffix(f.Tag.Get("json"), ",omitzero"):
			v.Field(i).SetZero()
			some = true
		default:
			some = leaveOut(v.Field(i)) || some
		}
	}
	return some
}

func fill(v reflect.Value, name string) {
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2030, 1, 2, 3, 4, 5, 6000, time.UTC)))
		return
	case reflect.TypeFor[personal.Text]():
		v.Set(reflect.ValueOf(personal.SealedText([]byte("sealed " + name))))
		return
	case reflect.TypeFor[personal.Fields]():
		v.Set(reflect.ValueOf(personal.SealedFields([]byte("sealed " + name))))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("a " + name)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(len(name)))
	case reflect.Uint, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(len(name)))
	case reflect.Uint8:
		v.SetUint(uint64(name[0]))
	case reflect.Float64:
		v.SetFloat(0.5 + float64(len(name)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), name[i%len(name):])
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), name)
		fill(v.Index(1), "other "+name)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, name)
		fill(value, name)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
				fill(v.Field(i), f.Name)
			}
		}
	default:
		panic("fill does not know " + v.Type().String())
	}
}
