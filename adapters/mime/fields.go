package mime

import (
	"sync/atomic"
	"time"
)

// dates writes Date headers; the same second is formatted once.
type dates struct{ last atomic.Pointer[dated] }

type dated struct {
	unix   int64
	header []byte
}

func (d *dates) write(h *headers, at time.Time) {
	if at.IsZero() {
		h.fail("Date", "is missing")
		return
	}
	last := d.last.Load()
	if last == nil || last.unix != at.Unix() {
		header := at.UTC().AppendFormat([]byte("Date: "), time.RFC1123Z)
		last = &dated{at.Unix(), append(header, "\r\n"...)}
		d.last.Store(last)
	}
	h.out = append(h.out, last.header...)
}

func (h *headers) messageID(id string) {
	local, domain, found := cutLast(id, '@')
	if !found || !isDotAtom(local) || !isDotAtom(domain) {
		h.fail("Message-ID", "is not an id") // RFC 5322, section 3.6.4
	}
	h.inAngles("Message-ID", id)
}

func (h *headers) listID(id, name string) {
	if !isDotAtom(id) || len(id) > 255 { // RFC 2919, section 3
		h.fail("List-Id", "is not an id")
	}
	h.named("List-Id", name, id)
}

// oneClick announces that a POST to URLs that begin like this unsubscribes
// (RFC 8058, section 3.1).
func (h *headers) oneClick(url string) {
	host, secure, ok := webHost(url)
	if !ok {
		h.fail("List-Unsubscribe", "is not a web address")
	}
	if secure || isLoopback(host) {
		h.line("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
}

func (h *headers) inAngles(name, value string) {
	if h.isToken(name, value) {
		h.out = append(append(append(append(h.out, name...), ": <"...), value...), ">\r\n"...)
	}
}

var token = setOf(func(b byte) bool { return b > ' ' && b < 0x7f && b != '<' && b != '>' })

// isToken: printable ASCII without spaces, of a length that fits on a line.
func (h *headers) isToken(name, value string) bool {
	if len(value) > 900 {
		h.fail(name, "is too long")
		return false
	}
	for i := range len(value) {
		if !token[value[i]] {
			h.fail(name, "holds a space, a control character, or one that is not ASCII")
			return false
		}
	}
	return true
}
