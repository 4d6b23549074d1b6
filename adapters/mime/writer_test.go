package mime

import (
	"bytes"
	"errors"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain"
)

// pieced is the body of a message that is put together of pieces; every second
// one is common, beginning with the first.
func pieced(t interface {
	Helper()
	Fatalf(string, ...any)
}, pieces []string) string {
	t.Helper()
	texts := []string{}
	for i := 0; i < len(pieces); i += 2 {
		texts = append(texts, pieces[i])
	}
	l, err := NewLayout(Common{From: full().From, Text: texts})
	if err != nil {
		t.Fatalf("%v", err)
	}
	w, err := l.Begin(nil, Own{To: full().To, Date: full().Date, MessageID: full().MessageID})
	if err != nil {
		t.Fatalf("%v", err)
	}
	w.Next()
	for i, s := range pieces {
		switch i % 4 {
		case 0, 2:
			w.Fixed(i / 2)
		case 1:
			_, _ = w.WriteString(s)
		case 3:
			_, _ = w.Write([]byte(s))
		}
	}
	_, body, _ := bytes.Cut(w.End(), []byte("\r\n\r\n"))
	for line := range strings.SplitSeq(string(body), "\r\n") {
		if len(line) > 76 || strings.HasPrefix(line, ".") || strings.HasSuffix(line, " ") || strings.ContainsAny(line, "\r\n") {
			t.Fatalf("bad line %q of %q", line, pieces)
		}
	}
	decoded, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body)))
	if err != nil || !bytes.HasSuffix(body, []byte("\r\n")) && len(body) > 0 {
		t.Fatalf("%q: %v", body, err)
	}
	return string(decoded)
}

var ends = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// A body reads back as what was written, wherever it is cut into what is
// common and what is not: between CR and LF, at a dot, at a full line's end.
func TestPieces(t *testing.T) {
	read := func(t interface {
		Helper()
		Fatalf(string, ...any)
	}, pieces []string) {
		t.Helper()
		want := ends.Replace(strings.Join(pieces, ""))
		if got := ends.Replace(pieced(t, pieces)); strings.TrimSuffix(got, "\n") != strings.TrimSuffix(want, "\n") {
			t.Fatalf("%q: got %q, want %q", pieces, got, want)
		}
	}
	for _, pieces := range [][]string{
		{}, {"", ""}, {"a", "\r", "\nb"}, {"a\r", "\nb"}, {"a\r", "\n", "\nb"}, {"a\r", "", "\nb"}, {"a", "\r", "", "\n"}, {"a\r\n", "\nb"}, {"\r", "\n", "."},
		{"a\n", ".", ".b"}, {"", "."}, {"a ", "", "\nb"}, {"a", " ", "\nb"}, {strings.Repeat("x", 75), ".", "y"}, {strings.Repeat("x", 75), "y", "."},
		{strings.Repeat("x", 76), "é", "=", "y"},
	} {
		read(t, pieces)
	}
	piece := rapid.OneOf(rapid.StringOfN(rapid.SampledFrom([]rune("a.= \t\r\né")), 0, 4, -1), rapid.StringOfN(rapid.SampledFrom([]rune("x.")), 70, 80, -1))
	rapid.Check(t, func(t *rapid.T) { read(t, rapid.SliceOfN(piece, 0, 8).Draw(t, "pieces")) })
}

// Where one unsubscribes begins as it was announced, or there is no message.
func TestUnsubscribeIsWhereItWasAnnounced(t *testing.T) {
	for _, announced := range []string{"", "https://example.org/u/"} {
		l, err := NewLayout(Common{From: full().From, Unsubscribe: announced, Text: []string{}})
		if err != nil {
			t.Fatal(err)
		}
		var r domain.Refusal
		_, err = l.Begin(nil, Own{To: full().To, Date: full().Date, MessageID: full().MessageID, UnsubscribeURL: "http://example.org/u/x"})
		if !errors.As(err, &r) || r.Code != CodeBadHeader {
			t.Errorf("%q: %v", announced, err)
		}
	}
}
