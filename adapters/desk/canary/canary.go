// Package canary answers: is anything of a person left in the files of a folder?
package canary

import "errors"

// Hit is one place where a needle was found.
type Hit struct {
	File     string // relative to the folder
	Offset   int64
	Needle   int    // index into the needles given; the value itself is not repeated
	Encoding string // plain, lower, base64, hex, utf-16le, …
}

// Search reads every file below dir, raw bytes, and reports each place where a
// needle stands in any encoding that the engine or its libraries use. Memory
// is flat, whatever the size of the files.
func Search(dir string, needles []string) ([]Hit, error) { return nil, errors.ErrUnsupported }
