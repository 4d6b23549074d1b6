package canary_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"mime"
	"mime/quotedprintable"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"

	"github.com/cleversender/cleversender/adapters/desk/canary"
)

const needle = "Zoë.Canary+7@exämple.org"

func qp(s string) string {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func utf16(t *testing.T, s string, e unicode.Endianness) string {
	out, err := unicode.UTF16(e, unicode.IgnoreBOM).NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestItFindsTheNeedleAsOtherLibrariesWriteIt(t *testing.T) {
	ascii := strings.ReplaceAll(strings.Trim(mustASCII(needle), `"`), `"`, "")
	for name, written := range map[string]string{
		"plain":            needle,
		"lower":            strings.ToLower(needle),
		"upper":            strings.ToUpper(needle),
		"hex":              hex.EncodeToString([]byte(needle)),
		"utf-16le":         utf16(t, needle, unicode.LittleEndian),
		"utf-16be":         utf16(t, needle, unicode.BigEndian),
		"json ascii":       ascii,
		"query":            url.QueryEscape(needle),
		"path":             url.PathEscape(needle),
		"quoted-printable": qp(needle),
		"folded qp":        qp(strings.Repeat("y", 70) + needle + " and more"),
		"encoded word":     mime.QEncoding.Encode("utf-8", needle),
		"b encoded word":   mime.BEncoding.Encode("utf-8", needle),
		"base64":           base64.StdEncoding.EncodeToString([]byte(needle)),
		"base64 shifted 1": base64.StdEncoding.EncodeToString([]byte("x" + needle + "y")),
		"base64 shifted 2": base64.StdEncoding.EncodeToString([]byte("xx" + needle + "yy")),
		"base64url":        base64.RawURLEncoding.EncodeToString([]byte("\xff" + strings.ToLower(needle) + "?>")),
		"folded base64":    fold(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 50) + needle + "yy"))),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			body := strings.Repeat("\x00\x01filler\xff", 1000) + written + strings.Repeat("more\n", 100)
			if err := os.WriteFile(filepath.Join(dir, "f"), []byte(body), 0o600); err != nil {
				t.Fatal(err)
			}
			hits, err := canary.Search(dir, []string{"somebody.else@example.com", needle})
			if err != nil {
				t.Fatal(err)
			}
			if len(hits) == 0 || hits[0].Needle != 1 || hits[0].File != "f" {
				t.Errorf("hits: %+v", hits)
			}
		})
	}
}

func mustASCII(s string) string {
	raw, _ := json.Marshal(s)
	var b strings.Builder
	for _, r := range string(raw) {
		if r < 0x80 {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strings.ToLower(hexRune(r)), " "))
		}
	}
	return b.String()
}

func hexRune(r rune) string { return `\u` + hex.EncodeToString([]byte{byte(r >> 8), byte(r)}) }

func fold(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i += 76 {
		b.WriteString(s[i:min(i+76, len(s))] + "\r\n")
	}
	return b.String()
}

func TestItFindsTheNeedleAcrossTheEdgesOfWhatItReadsAtOnce(t *testing.T) {
	dir := t.TempDir()
	edge := 1<<20 + 2*100
	for _, at := range []int{0, 1<<20 - 5, 1 << 20, edge - 8, edge, 2<<20 - 3, 3 << 20} {
		body := make([]byte, at, at+100)
		body = append(append(body, needle...), "tail"...)
		if err := os.WriteFile(filepath.Join(dir, "f"), body, 0o600); err != nil {
			t.Fatal(err)
		}
		hits, err := canary.Search(dir, []string{needle})
		if err != nil {
			t.Fatal(err)
		}
		if len(hits) != 1 || hits[0].Offset != int64(at) {
			t.Errorf("needle at %d: %+v", at, hits)
		}
	}
}

func TestItReadsNamesOfFilesToo(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "spool", "canary@example.org"), 0o700); err != nil {
		t.Fatal(err)
	}
	hits, err := canary.Search(dir, []string{"canary@example.org"})
	if err != nil || len(hits) != 1 || hits[0].Offset != -1 {
		t.Errorf("hits %+v, %v", hits, err)
	}
}

func TestNothingIsFoundWhereNothingIs(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), bytes.Repeat([]byte("canary@exampl e.org"), 1<<17), 0o600); err != nil {
		t.Fatal(err)
	}
	if hits, err := canary.Search(dir, []string{"canary@example.org"}); err != nil || len(hits) != 0 {
		t.Errorf("hits %+v, %v", hits, err)
	}
}

func TestAShortNeedleIsRefused(t *testing.T) {
	if _, err := canary.Search(t.TempDir(), []string{"Bo"}); !errors.Is(err, canary.ErrShort) {
		t.Errorf("got %v", err)
	}
}
