package fastlane

import (
	"bytes"
	"cmp"
	"net/http"
	"strconv"
	"time"
)

// response keeps an answer until its handler is done. A handler finds in it what
// it finds in net/http's, but that nothing can be flushed.
type response struct {
	header http.Header
	out    *bytes.Buffer // status and header, as they were when the status was said
	status int           // 0: nothing is said yet
	body   []byte
	typed  bool // the content type is not to be guessed
	dated  bool
	last   bool // the connection is closed after it
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
	code := strconv.Itoa(status)
	w.out.WriteString("HTTP/1.1 " + code + " " + cmp.Or(http.StatusText(status), "status code "+code) + "\r\n")
	_ = w.header.WriteSubset(w.out, framing) // memory takes it
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
		w.field("Date", time.Now().UTC().AppendFormat(make([]byte, 0, len(http.TimeFormat)), http.TimeFormat))
	}
	if !w.bodiless() {
		w.field("Content-Length", strconv.AppendInt(nil, int64(len(w.body)), 10))
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

func (w *response) field(name string, value []byte) {
	w.out.WriteString(name)
	w.out.WriteString(": ")
	w.out.Write(value)
	w.out.WriteString("\r\n")
}
