package fastlane_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	get  = "GET /o/abc.gif HTTP/1.1\r\nHost: x\r\n"
	next = "GET /o/next HTTP/1.1\r\nHost: x\r\n\r\n"
	post = "POST /u/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /"
)

// requests are what clients, proxies and attackers send, and how much of it is
// answered in the lane.
var requests = []struct {
	name, text string
	inLane     int64
}{
	{"nothing", "", 0},
	{"plain", get + "\r\n", 1},
	{"of a reader", get + "User-Agent: Mozilla/5.0 (Macintosh) é\r\nACCEPT: image/avif,*/*\r\naccept-language:en-GB \t\r\nCookie: a=b\r\n" +
		"Upgrade-Insecure-Requests: 1\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 10.0.0.1\r\nX-Empty:\r\nConnection: Keep-Alive\r\n\r\n", 1},
	{"of two readers", get + "User-Agent: Mozilla/5.0\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n" + get + "X-Forwarded-For: 10.0.0.2\r\n\r\n" + next, 3},
	{"pipelined", get + "\r\n" + next + next, 3},
	{"then a form", get + "\r\nPOST /u/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /" + next, 2},
	{"then a chunked form", get + "\r\nPOST /u/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n" + next, 2},
	{"a form first", "POST /u/a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" + get + "\r\n", 1},
	{"other path", "GET / HTTP/1.1\r\nHost: x\r\n\r\n" + next, 1},
	{"HEAD", "HEAD /o/a HTTP/1.1\r\nHost: x\r\n\r\n", 0},
	{"HTTP/1.0", "GET /o/a HTTP/1.0\r\nHost: x\r\n\r\n" + next, 0},
	{"HTTP/1.0 kept alive", "GET /o/a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n" + next, 1},
	{"HTTP/1.2", "GET /o/a HTTP/1.2\r\nHost: x\r\n\r\n" + next, 1},
	{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0},
	{"no version", "GET /o/a\r\nHost: x\r\n\r\n" + next, 0},
	{"no method", "/o/a HTTP/1.1\r\nHost: x\r\n\r\n" + next, 0},
	{"space in the path", "GET /o/a b HTTP/1.1\r\nHost: x\r\n\r\n" + next, 0},
	{"small letters", "get /o/a HTTP/1.1\r\nHost: x\r\n\r\n" + next, 1},
	{"bare LF", "GET /o/a HTTP/1.1\nHost: x\n\n" + next, 2},
	{"bare LF in the head", "GET /o/a HTTP/1.1\r\nHost: x\nX-A: a\r\n\r\n" + next, 2},
	{"bare LF ends the head", "GET /o/a HTTP/1.1\r\nHost: x\r\n\nGET /o/b HTTP/1.1\r\nHost: x\r\n\r\n", 2},
	{"bare CR", "GET /o/a HTTP/1.1\r\nHost: x\r\nX-A: a\rX-B: b\r\n\r\n" + next, 0},
	{"CRLF before", "\r\n" + get + "\r\n", 0},
	{"CRLF between", get + "\r\n\r\n" + next, 1},
	{"two spaces", "GET  /o/a HTTP/1.1\r\nHost: x\r\n\r\n", 0},
	{"space at the end", "GET /o/a HTTP/1.1 \r\nHost: x\r\n\r\n", 0},
	{"tab", "GET\t/o/a HTTP/1.1\r\nHost: x\r\n\r\n", 0},
	{"folded", get + "X-A: a\r\n b\r\n\r\n" + next, 2},
	{"folded first", "GET /o/a HTTP/1.1\r\n Host: x\r\n\r\n" + next, 0},
	{"folded empty", get + "X-A:\r\n\t\r\n\r\n" + next, 2},
	{"no Host", "GET /o/a HTTP/1.1\r\n\r\n" + next, 0},
	{"empty Host", "GET /o/a HTTP/1.1\r\nHost:\r\n\r\n" + next, 2},
	{"two Hosts", get + "Host: x\r\n\r\n" + next, 0},
	{"two Hosts, one small", get + "hOST: y\r\n\r\n" + next, 0},
	{"Host with space", "GET /o/a HTTP/1.1\r\nHost: a b\r\n\r\n" + next, 0},
	{"Host with slash", "GET /o/a HTTP/1.1\r\nHost: a/b\r\n\r\n" + next, 0},
	{"Host with port", "GET /o/a HTTP/1.1\r\nHost: [::1]:80\r\n\r\n" + next, 2},
	{"length 0", get + "Content-Length: 0\r\n\r\n" + next, 1},
	{"length", get + "Content-Length: 4\r\n\r\nbody" + next, 1},
	{"two lengths", get + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody" + next, 0},
	{"bad length", get + "Content-Length: +4\r\n\r\nbody" + next, 0},
	{"length and chunks", get + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + next, 1},
	{"chunks", get + "transfer-encoding: chunked\r\n\r\n0\r\n\r\n" + next, 1},
	{"trailer", get + "Trailer: X-A\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: b\r\n\r\n" + next, 1},
	{"trailer alone", get + "Trailer: X-A\r\n\r\n" + next, 1},
	{"unknown encoding", get + "Transfer-Encoding: gzip\r\n\r\n" + next, 0},
	{"encoding hidden", get + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + next, 0},
	{"encoding with a control", get + "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + next, 0},
	{"no such length", get + "Content_Length: 4\r\n\r\n" + next, 2},
	{"upgrade", get + "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n" + next, 1},
	{"upgrade alone", get + "Upgrade: h2c\r\n\r\n" + next, 1},
	{"h2c", get + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n" + next, 1},
	{"expect", get + "Expect: 100-continue\r\n\r\n" + next, 1},
	{"expect else", get + "Expect: tea\r\n\r\n" + next, 0},
	{"close", get + "Connection: close\r\n\r\n" + next, 0},
	{"close among others", get + "Connection: keep-alive, close\r\n\r\n" + next, 0},
	{"close in another line", get + "Connection: keep-alive\r\nConnection: close\r\n\r\n" + next, 0},
	{"pragma", get + "Pragma: no-cache\r\n\r\n" + next, 1},
	{"absolute", "GET http://y/o/a HTTP/1.1\r\nHost: x\r\n\r\n" + next, 1},
	{"authority", "GET //o/a HTTP/1.1\r\nHost: x\r\n\r\n" + next, 1},
	{"asterisk", "GET * HTTP/1.1\r\nHost: x\r\n\r\n" + next, 0},
	{"no token", "GET /o/ HTTP/1.1\r\nHost: x\r\n\r\n" + next, 1},
	{"dots", "GET /o/.. HTTP/1.1\r\nHost: x\r\n\r\n" + next, 1},
	{"dots up", "GET /o/../c/a HTTP/1.1\r\nHost: x\r\n\r\n" + next, 1},
	{"dot", "GET /o/. HTTP/1.1\r\nHost: x\r\n\r\n" + next, 1},
	{"dots within", "GET /o/a..b. HTTP/1.1\r\nHost: x\r\n\r\n" + next, 2},
	{"slashes", "GET /o/a//b HTTP/1.1\r\nHost: x\r\n\r\n" + next, 1},
	{"encoded", "GET /o/%61%2Fb HTTP/1.1\r\nHost: x\r\n\r\n" + next, 1},
	{"encoded prefix", "GET /%6f/a HTTP/1.1\r\nHost: x\r\n\r\n" + next, 1},
	{"badly encoded", "GET /o/%zz HTTP/1.1\r\nHost: x\r\n\r\n" + next, 0},
	{"query", "GET /o/a?b=c HTTP/1.1\r\nHost: x\r\n\r\n" + next, 1},
	{"query without a value", "GET /o/a?b HTTP/1.1\r\nHost: x\r\n\r\n" + next, 1},
	{"fragment", "GET /o/a#b HTTP/1.1\r\nHost: x\r\n\r\n" + next, 1},
	{"NUL in the path", "GET /o/a\x00 HTTP/1.1\r\nHost: x\r\n\r\n" + next, 0},
	{"not ASCII", "GET /o/é HTTP/1.1\r\nHost: x\r\n\r\n" + next, 1},
	{"NUL in a value", get + "X-A: a\x00b\r\n\r\n" + next, 0},
	{"NUL in a name", get + "X\x00A: b\r\n\r\n" + next, 0},
	{"no name", get + ": b\r\n\r\n" + next, 0},
	{"no colon", get + "X-A\r\n\r\n" + next, 0},
	{"name with a space", get + "X A: b\r\n\r\n" + next, 0},
	{"name not ASCII", get + "X-é: b\r\n\r\n" + next, 0},
	{"long", get + "X-A: " + strings.Repeat("a", 3000) + "\r\n\r\n" + next, 2},
	{"longer than the lane's buffer", get + "X-A: " + strings.Repeat("a", 5000) + "\r\n\r\n" + next, 2},
	{"longer than the server takes", get + "X-A: " + strings.Repeat("a", 30000) + "\r\n\r\n" + next, 0},
	{"next cut by the buffer", get + "X-A: " + strings.Repeat("a", 4030) + "\r\n\r\n" + next, 2},
	{"ends early", "GET /o/a HTTP/1.1\r\nHost: x\r\n", 0},
	{"there and back", get + "\r\n" + post + next + post + post + next + "GET / HTTP/1.1\r\nHost: x\r\n\r\n" + next, 4},
	{"back, and a form", "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /o/a HTTP/1.1\r\nHost: x\r\nContent-Length: 33\r\n\r\n" + next + next, 1},
	{"ends before it begins", "0", 0},
	{"ends before it begins, later", get + "\r\n" + "GET", 1},
	{"ends early, later", get + "\r\nGET /o/b HT", 1},

	{"answers nothing", to("nothing"), 2},
	{"answers a redirect", to("redirect"), 2},
	{"answers untold type", to("sniffed"), 2},
	{"answers encoded", to("encoded"), 2},
	{"answers no type", to("untyped"), 2},
	{"answers no content", to("no-content"), 2},
	{"answers not modified", to("not-modified"), 2},
	{"answers what comes late", to("late"), 2},
	{"answers another", to("encoded") + to("late") + to("dated") + to("sniffed") + to("untyped") + to("undated") + to("redirect"), 14},
	{"answers what is injected", to("injected"), 2},
	{"answers close", to("close"), 1},
	{"answers its own date", to("dated"), 2},
	{"answers no date", to("undated"), 2},
	{"answers not found", to("unknown"), 2},
	{"panics", to("panic"), 1},
	{"aborts", to("abort"), 1},
}

func to(token string) string { return "GET /c/" + token + " HTTP/1.1\r\nHost: x\r\n\r\n" + next }

// Whatever a client says, and however it comes in pieces, a server with a lane
// answers what one without answers.
func TestSameAnswers(t *testing.T) {
	w := newWorld(t)
	for _, c := range requests {
		t.Run(c.name, func(t *testing.T) {
			text := []byte(c.text)
			want := answers(w.plain.said(text))
			before := w.inLane.Load()
			if diff := cmp.Diff(want, answers(w.lane.said(text))); diff != "" {
				t.Error(diff)
			}
			if got := w.inLane.Load() - before; got != c.inLane {
				t.Errorf("%d are answered in the lane, want %d", got, c.inLane)
			}
			for cut := 1; cut < min(len(text), 400); cut++ {
				if diff := cmp.Diff(want, answers(w.lane.said(text[:cut], text[cut:]))); diff != "" {
					t.Fatalf("cut after %q: %s", text[:cut], diff)
				}
			}
			if diff := cmp.Diff(want, answers(w.lane.said(bytes.SplitAfter(text, nil)...))); diff != "" {
				t.Errorf("octet by octet: %s", diff)
			}
		})
	}
}

// Informational answers, which nobody has to send, are left out.
func TestHints(t *testing.T) {
	got := answers(newWorld(t).lane.said([]byte("GET /c/hinted HTTP/1.1\r\nHost: x\r\n\r\n")))
	if len(got) != 2 || !strings.HasPrefix(got[1], "HTTP/1.1 200 OK") {
		t.Errorf("answered %q", got)
	}
}

// No bytes make the two servers differ.
func FuzzSameAnswers(f *testing.F) {
	for i, c := range requests {
		f.Add([]byte(c.text), uint16(i))
	}
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, text []byte, cut uint16) {
		k := min(int(cut), len(text))
		want := answers(w.plain.said(text[:k], text[k:]))
		if diff := cmp.Diff(want, answers(w.lane.said(text[:k], text[k:]))); diff != "" {
			t.Errorf("%q cut at %d: %s", text, k, diff)
		}
	})
}
