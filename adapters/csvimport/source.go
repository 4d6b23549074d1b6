package csvimport

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"

	"github.com/cleversender/cleversender/domain"
)

const (
	blockBytes      = 64 << 10
	defaultMaxBytes = 8 << 30

	// A contact list packs 4 to 20 times smaller. Beyond this ratio, and once
	// it is large, it is no contact list.
	maxRatio     = 200
	ratioMatters = 16 << 20
)

// What makes a file unreadable as a whole.
var (
	ErrBadCharset = domain.Refuse("bad_charset", "the character set is not known")
	ErrGzip       = domain.Refuse("gzip_damaged", "the gzip file is damaged or incomplete")
	ErrBomb       = domain.Refuse("gzip_bomb", "the gzip file unpacks to far more than a contact list would")
	ErrTooLarge   = domain.Refuse("import_too_large", "the file is larger than an import may be")
	ErrEncoding   = domain.Refuse("bad_encoding", "the file is not UTF-8: name its character set")
	ErrNotCSV     = domain.Refuse("not_csv", "the file is a spreadsheet or a ZIP archive; save it as CSV")
	ErrDiffers    = domain.Refuse("import_differs", "this import was begun with another file")
)

// received reads a file in whole blocks, so that how far it has read depends
// on the file alone, and keeps the digest of what it read.
type received struct {
	file   io.Reader
	digest hash.Hash
	bytes  int64
	block  []byte
	rest   []byte
	err    error
	mark   mark // to be met on the way; zero: none
	met    bool
}

// mark is a digest of the first bytes of a file.
type mark struct {
	bytes  int64
	sha256 string
}

func receive(file io.Reader, m mark) *received {
	return &received{file: file, digest: sha256.New(), block: make([]byte, blockBytes), mark: m, met: m.bytes == 0}
}

func (r *received) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *received) fill() error {
	if r.err != nil {
		return r.err
	}
	n, err := io.ReadFull(r.file, r.block)
	if errors.Is(err, io.ErrUnexpectedEOF) && n > 0 {
		err = io.EOF
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("read the file: %w", err)
	}
	r.rest, r.err = r.block[:n], err
	r.hash(r.rest)
	if n == 0 {
		return r.err
	}
	return nil
}

func (r *received) hash(p []byte) {
	if left := r.mark.bytes - r.bytes; !r.met && left > 0 && left <= int64(len(p)) {
		_, _ = r.digest.Write(p[:left])
		r.bytes += left
		p = p[left:]
		r.met = r.sum() == r.mark.sha256
	}
	_, _ = r.digest.Write(p)
	r.bytes += int64(len(p))
}

// sum is the SHA-256 of what has been read so far, in hex.
func (r *received) sum() string { return hex.EncodeToString(r.digest.Sum(nil)) }

// unpack finds out what the file is and gives its text as UTF-8.
func unpack(r *received, charset string, maxBytes int64) (io.Reader, error) {
	in := bufio.NewReaderSize(r, blockBytes)
	limit := &limited{max: maxBytes}
	head, _ := in.Peek(4)
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}): // RFC 1952, section 2.3.1
		zip, err := gzip.NewReader(in)
		if err != nil {
			return nil, gzipError(err)
		}
		limit.in, limit.packed = zip, r
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return nil, ErrNotCSV
	default:
		limit.in = in
	}
	return decode(limit, charset)
}

// decode gives UTF-8. A byte order mark wins over what was declared.
func decode(in io.Reader, charset string) (io.Reader, error) {
	text := bufio.NewReaderSize(in, blockBytes)
	enc, err := encodingOf(charset)
	if err != nil {
		return nil, err
	}
	head, _ := text.Peek(3)
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = text.Discard(3)
		return text, nil
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		enc = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)
	}
	if enc == nil {
		return text, nil
	}
	return enc.NewDecoder().Reader(text), nil
}

// encodingOf is nil for UTF-8. Names are those of the WHATWG Encoding Standard.
func encodingOf(charset string) (encoding.Encoding, error) {
	charset = strings.TrimSpace(charset)
	if charset == "" {
		return nil, nil
	}
	enc, err := htmlindex.Get(charset)
	if err != nil || enc == encoding.Replacement {
		return nil, ErrBadCharset
	}
	if name, _ := htmlindex.Name(enc); name == "utf-8" {
		return nil, nil
	}
	return enc, nil
}

// limited ends a text that is larger than an import may be.
type limited struct {
	in       io.Reader
	packed   *received // nil: the file is not packed
	unpacked int64
	max      int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	l.unpacked += int64(n)
	switch {
	case l.unpacked > l.max:
		return 0, ErrTooLarge
	case l.packed != nil && l.unpacked > ratioMatters && l.unpacked > maxRatio*l.packed.bytes:
		return 0, ErrBomb
	case l.packed != nil:
		return n, gzipError(err)
	}
	return n, err
}

// gzipError tells a damaged file from a broken connection.
func gzipError(err error) error {
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrGzip
	}
	if err != nil && strings.HasPrefix(err.Error(), "flate: ") {
		return ErrGzip
	}
	return err
}
