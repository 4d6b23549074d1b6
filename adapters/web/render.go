package web

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets
var assetFiles embed.FS

var pageTemplates = parsePages()

func parsePages() map[string]*template.Template {
	layout := template.Must(template.New("layout.html").Funcs(funcs).ParseFS(pageFiles, "pages/layout.html", "pages/parts.html"))
	files, err := fs.Glob(pageFiles, "pages/*.html")
	if err != nil {
		panic(err)
	}
	out := map[string]*template.Template{}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || name == "parts" {
			continue
		}
		out[name] = template.Must(template.Must(layout.Clone()).ParseFS(pageFiles, file))
	}
	return out
}

// view is what every page has.
type view struct {
	Title   string
	Section string // of the navigation
	Account string // "": nobody is signed in
	Mailbox bool
	Error   string // what could not be done
	Notice  string // what was done
	Refresh int    // seconds after which the page is asked for again; 0: never
	Here    string // path and query of the page: with a fragment, browsers would only scroll
	Data    any
}

// show answers with a page.
func (s *site) show(w http.ResponseWriter, r *http.Request, who session, name string, v view) error {
	v.Account, v.Mailbox, v.Here = who.name, s.Mailbox != nil, r.URL.RequestURI()
	if v.Account == "" && !who.account.IsZero() {
		v.Account = "Account"
	}
	status := http.StatusOK
	if v.Error != "" {
		status = http.StatusUnprocessableEntity
	}
	s.render(w, r, status, name, v)
	return nil
}

func (s *site) render(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	var buf bytes.Buffer
	if err := pageTemplates[name].ExecuteTemplate(&buf, "layout.html", v); err != nil {
		s.Logger.ErrorContext(r.Context(), "page not rendered", "page", name, "error", fmt.Sprintf("%T", err))
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = buf.WriteTo(w) // the browser may have left
}

// fail answers with what went wrong. Faults are logged here and nowhere else.
func (s *site) fail(w http.ResponseWriter, r *http.Request, who session, err error) {
	status, text := http.StatusInternalServerError, "Something went wrong on our side. It has been logged."
	var refusal domain.Refusal
	switch {
	case errors.Is(err, commands.ErrNotFound):
		status, text = http.StatusNotFound, "There is no such page, or it belongs to another account."
	case errors.As(err, &refusal):
		status, text = http.StatusUnprocessableEntity, sentence(refusal.Reason)
	case errors.Is(err, domain.ErrConflict):
		status, text = http.StatusConflict, "Somebody else changed this at the same moment. Please try again."
	case r.Context().Err() != nil:
		status, text = http.StatusServiceUnavailable, "The request was interrupted."
	default:
		s.Logger.ErrorContext(r.Context(), "page failed", "route", r.Pattern, "error", err)
	}
	v := view{Title: http.StatusText(status), Error: text, Account: who.name, Mailbox: s.Mailbox != nil}
	s.render(w, r, status, "error", v)
}

func (s *site) noPage(http.ResponseWriter, *http.Request, session) error { return commands.ErrNotFound }

// refused is the text of a refusal, to be shown with the form that was sent; a
// fault is handed back.
func refused(err error) (text string, fault error) {
	var refusal domain.Refusal
	if errors.As(err, &refusal) && !errors.Is(err, commands.ErrNotFound) {
		return sentence(refusal.Reason), nil
	}
	return "", err
}

// sentence makes one of a refusal's reason.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

func assets(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "max-age=300")
	http.ServeFileFS(w, r, assetFiles, "assets/"+path.Base(r.PathValue("file")))
}
