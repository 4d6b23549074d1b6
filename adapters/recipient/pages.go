package recipient

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
)

//go:embed page.html
var pageSource string

//go:embed page.css
var style string

// view is one page. Nothing in it is a person's: a forwarded message must not
// show its reader whose it was.
type view struct {
	Title   string
	Text    []string // paragraphs
	Button  string   // "": no form
	Choices []choice
	Object  bool   // offer to object to all marketing
	More    string // link to the preferences; "": none
	Style   template.CSS
}

// choice is one question of the preferences.
type choice struct {
	Name, Label, Help string
	Given             bool
}

var page = template.Must(template.New("page").Parse(pageSource))

// policy lets the page do nothing but show itself and send its form back.
var policy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}()

var (
	noSuchLink = view{Title: "This link does not work", Text: []string{
		"It may be incomplete. Please open it from the message again, or copy it whole.",
	}}
	onlyTest = view{Title: "This was a test", Text: []string{
		"In the campaign itself, every recipient has a link of their own here, by which they leave. Nothing was changed.",
	}}
	linkExpired = view{Title: "This link has expired", Text: []string{
		"Please use the link in a more recent message.",
	}}
	nothingHeld = view{Title: "Nothing to do here", Text: []string{
		"No message will be sent to you because of this link.",
	}}
	tryLater = view{Title: "Please try again", Text: []string{
		"Something went wrong on our side, and nothing was changed. Please try again in a minute.",
	}}
)

func (h *Handler) page(w http.ResponseWriter, status int, v view) {
	v.Style = template.CSS(style)
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		h.deps.Logger.Error("page not rendered", "error", err)
		http.Error(w, tryLater.Text[0], http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Frame-Options", "DENY")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the reader may have left
}

// refuse answers a token that was not taken.
func (h *Handler) refuse(w http.ResponseWriter, kind string, err error) {
	result := refusalResult(err)
	h.count(kind, result)
	if result == expired {
		h.page(w, http.StatusGone, linkExpired)
		return
	}
	h.page(w, http.StatusNotFound, noSuchLink)
}
