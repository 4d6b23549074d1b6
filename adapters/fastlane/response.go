package fastlane

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// response keeps an answer until its handler is done. A handler finds in it what
// it finds in net/http's, but that nothing can be flushed. Its room is used again.
type response struct {
	header http.Header
	out    bytes.Buffer // status and header, as they were when the status was said
	status int          // 0: nothing is said yet
	body   []byte
	typed  bool // the content type is not to be guessed
	dated  bool
	last   bool // the connection is closed after it

	second int64  // since 1970, of
	date   []byte // as the Date field has it
}

// begin forgets the answer before.
func (w *response) begin() {
	clear(w.header)
	w.out.Reset()
	w.status, w.body = 0, w.body[:0]
}

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header { return w.header }

// framing are the fields that say where an answer ends; the lane says so itself.
var framing = map[string]bool{"Connection": true, "Content-Length": true, "Transfer-Encoding": true}

// WriteHeader implements http.ResponseWriter. Informational answers are not sent.
func (w *response) WriteHeader(status int) {
	if w.status != 0 || status < 200 {
		return
	}
	w.status = status
	w.out.WriteString("HTTP/1.1 ")
	w.out.Write(strconv.AppendInt(w.out.AvailableBuffer(), int64(status), 10))
	w.out.WriteString(" ")
	if text := http.StatusText(status); text != "" {
		w.out.WriteString(text)
	} else {
		w.out.WriteString("status code " + strconv.Itoa(status))
	}
	w.out.WriteString("\r\n")
	_ = w.header.WriteSubset(&w.out, framing) // memory takes it
	_, w.typed = w.header["Content-Type"]
	w.typed = w.typed || w.header.Get("Content-Encoding") != ""
	_, w.dated = w.header["Date"]
	w.last = w.last || w.header.Get("Connection") == "close"
}

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.bodiless() {
		return 0, http.ErrBodyNotAllowed
	}
	w.body = append(w.body, p...)
	return len(p), nil
}

// bodiless says that there is no body, nor the length of one (RFC 9110, section 8.6).
func (w *response) bodiless() bool {
	return w.status == http.StatusNoContent || w.status == http.StatusNotModified
}

// end completes the answer, in out.
func (w *response) end() {
	w.WriteHeader(http.StatusOK)
	if !w.dated {
		w.field("Date", w.now())
	}
	if !w.bodiless() {
		w.field("Content-Length", strconv.AppendInt(make([]byte, 0, 20), int64(len(w.body)), 10))
	}
	if !w.typed && len(w.body) > 0 {
		w.field("Content-Type", []byte(http.DetectContentType(w.body)))
	}
	if w.last {
		w.field("Connection", []byte("close"))
	}
	w.out.WriteString("\r\n")
	w.out.Write(w.body)
}

// now is the time, put into words once a second.
func (w *response) now() []byte {
	if now := time.Now(); w.date == nil || now.Unix() != w.second {
		w.second, w.date = now.Unix(), now.UTC().AppendFormat(w.date[:0], http.TimeFormat)
	}
	return w.date
}

func (w *response) field(name string, value []byte) {
	w.out.WriteString(name)
	w.out.WriteString(": ")
	w.out.Write(value)
	w.out.WriteString("\r\n")
}
