package demo

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/cleversender/cleversender/adapters/csvimport/generate"
)

var update = flag.Bool("update", false, "write the bundled contact list anew")

// The bundled list is what the generator makes: 2,000 people, some of them
// twice, and every kind of bad row, after the one person who asks to be erased.
func TestContactsAreGenerated(t *testing.T) {
	var list bytes.Buffer
	list.WriteString(generate.Header + person + ",Wilhelmina,Quill,\"Hay-on-Wye, Powys\",\"Quill & Daughters, Books\",gold,2023-11-04T09:30:00Z\n")
	var rest bytes.Buffer
	if err := generate.Write(&rest, generate.Options{Seed: 2, Rows: 2061, Duplicates: 40, Bad: 158}); err != nil {
		t.Fatal(err)
	}
	list.Write(bytes.TrimPrefix(rest.Bytes(), []byte(generate.Header)))
	if *update {
		if err := os.WriteFile("data/contacts.csv", list.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(list.Bytes(), contacts) {
		t.Error("data/contacts.csv is not what the generator makes: run make golden")
	}
}
