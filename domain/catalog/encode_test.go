package catalog

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/cleversender/cleversender/domain/personal"
)

// What is stored is what encoding/json makes of an event, byte for byte,
// whatever is in it; and what is read back is what encoding/json reads.
func TestEncodeIsJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, typ := range All.Types() {
		for range 50 {
			v := reflect.New(typ.Go).Elem()
			scramble(r, v)
			want, wantErr := json.Marshal(v.Interface())
			_, _, got, err := All.Encode(v.Interface())
			if string(got) != string(want) || err != nil || wantErr != nil {
				t.Fatalf("%s: %v %v\n%s\nis not\n%s", typ.Name, err, wantErr, got, want)
			}
			slow := reflect.New(typ.Go)
			slowErr := json.Unmarshal(want, slow.Interface())
			read, err := All.Decode(typ.Name, typ.Version(), got)
			if err != nil || slowErr != nil || !reflect.DeepEqual(read, slow.Elem().Interface()) {
				t.Fatalf("%s: %v %v\n%s\nreads as %#v", typ.Name, err, slowErr, got, read)
			}
		}
	}
}

var awkward = []string{"", "plain text", "é 雪", "<a href=\"x\">&amp;</a>", "\x00\x1f\x7f", "\u2028\u2029", "\xff\xfe", "\\", "tab\tline\n"}

// scramble fills v with values that are hard to write.
func scramble(r *rand.Rand, v reflect.Value) {
	switch p := v.Addr().Interface().(type) {
	case *personal.Text:
		*p = personal.SealedText([]byte(awkward[r.IntN(len(awkward))]))
		return
	case *personal.Fields:
		*p = personal.SealedFields([]byte(awkward[r.IntN(len(awkward))]))
		return
	case *time.Time:
		*p = time.Unix(r.Int64N(1<<33), r.Int64N(2)*r.Int64N(1e9)).UTC()
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(awkward[r.IntN(len(awkward))])
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(r.Int64() - r.Int64())
	case reflect.Uint, reflect.Uint64, reflect.Uint32, reflect.Uint8:
		v.SetUint(r.Uint64N(256))
	case reflect.Array:
		for i := range v.Len() * r.IntN(2) {
			scramble(r, v.Index(i))
		}
	case reflect.Slice:
		if n := r.IntN(4); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
		}
		for i := range v.Len() {
			scramble(r, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			scramble(r, v.Field(i))
		}
	default:
		panic("no such kind in an event yet: " + v.Type().String())
	}
}
