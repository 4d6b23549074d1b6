// Package canary answers: is anything of a person left in the files of a folder?
//
// It reads raw bytes: databases with their free pages, write-ahead logs, logs,
// spools. What it cannot see: data that is encrypted, which is the point, or
// compressed, which the engine does not do to files.
package canary

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Hit is one place where a needle was found.
type Hit struct {
	File     string // relative to the folder
	Offset   int64  // -1: in the file's name; about, in folded encodings
	Needle   int    // index into the needles given; the value itself is not repeated
	Encoding string // plain, lower, base64, hex, utf-16le, …
}

// ErrShort: a needle is too short to be told from chance.
var ErrShort = errors.New("canary: a needle needs 6 bytes at least")

const minNeedle = 6

// chunk is how much is read at once.
const chunk = 1 << 20

// Search reads every file below dir and reports each place where a needle
// stands, in any encoding that the engine or its libraries use. Memory is flat,
// whatever the size of the files. A file that goes away meanwhile is skipped.
func Search(dir string, needles []string) ([]Hit, error) {
	for _, n := range needles {
		if len(n) < minNeedle {
			return nil, ErrShort
		}
	}
	m := newMatcher(needles)
	var hits []Hit
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		m.find([]byte(name), func(_ int, p *pattern) {
			hits = append(hits, Hit{name, -1, p.needle, p.encoding})
		})
		if !entry.Type().IsRegular() {
			return nil
		}
		err = m.file(path, func(at int64, p *pattern, encoding string) {
			hits = append(hits, Hit{name, at, p.needle, encoding})
		})
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return hits, err
}

// file searches one file, with an overlap from chunk to chunk.
func (m *matcher) file(path string, hit func(at int64, p *pattern, encoding string)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	overlap := 2 * m.longest // folded lines are longer than what they hold
	buf := make([]byte, 0, chunk+overlap)
	folded := make([]byte, 0, chunk+overlap)
	for start, fresh := int64(0), 0; ; {
		n, err := io.ReadFull(f, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		m.find(buf, func(at int, p *pattern) {
			if at+len(p.bytes) > fresh { // else the last round saw it
				hit(start+int64(at), p, p.encoding)
			}
		})
		folded = unfold(folded[:0], buf)
		if len(folded) < len(buf) {
			m.find(folded, func(at int, p *pattern) {
				if p.foldable && !bytes.Contains(buf, p.bytes) {
					hit(start+int64(at), p, "folded "+p.encoding)
				}
			})
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		keep := min(overlap, len(buf))
		start += int64(len(buf) - keep)
		buf = buf[:copy(buf, buf[len(buf)-keep:])]
		fresh = keep
	}
}

// unfold leaves out line ends, and the soft ones of quoted-printable.
func unfold(dst, src []byte) []byte {
	for i := 0; i < len(src); i++ {
		switch {
		case src[i] == '\n':
		case src[i] == '\r' && i+1 < len(src) && src[i+1] == '\n':
		case src[i] == '=' && i+1 < len(src) && (src[i+1] == '\n' || src[i+1] == '\r'):
		default:
			dst = append(dst, src[i])
		}
	}
	return dst
}
