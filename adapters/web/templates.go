package web

import (
	"html"
	"net/http"
	"strconv"
	"strings"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/template"
	"github.com/cleversender/cleversender/projections/templates"
)

func (s *site) templates(w http.ResponseWriter, r *http.Request, who session) error {
	found, err := templates.Recent(r.Context(), s.rows(templates.Projection.Name), who.account, templates.Cursor(afterNumber(r)), perPage+1)
	if err != nil {
		return err
	}
	shown, next := cut(found, func(t templates.Template) string { return strconv.FormatInt(int64(t.Cursor()), 10) })
	return s.show(w, r, who, "templates", view{Title: "Templates", Section: "templates", Data: struct {
		Templates []templates.Template
		Next      string
	}{shown, next}})
}

// templateForm is a template being written.
type templateForm struct {
	Form     domain.ID
	ID       domain.ID // zero: a new one
	Name     string
	Content  template.Content
	Revision uint64
}

// starter is what a new template begins as: everything a message needs.
var starter = template.Content{
	Subject: "News for {{ name | default: \"you\" }}",
	HTML: `<!doctype html>
<html lang="en">
<body style="margin:0;font-family:Georgia,serif;font-size:18px;line-height:1.5;color:#222">
<div style="max-width:36em;margin:0 auto;padding:24px">
<h1>Hello {{ name | default: "there" }}</h1>
<p>Write something worth reading.</p>
<p><a href="https://example.org/">Read on</a></p>
<hr>
<p style="font-size:14px">You get this because you are on the list {{ list }}.
<a href="{{ unsubscribe_url }}">Unsubscribe</a></p>
</div>
</body>
</html>
`,
}

func (s *site) newTemplate(w http.ResponseWriter, r *http.Request, who session) error {
	return s.templateForm(w, r, who, templateForm{Form: s.NewID(), Content: starter}, view{})
}

func (s *site) templateForm(w http.ResponseWriter, r *http.Request, who session, f templateForm, v view) error {
	v.Title, v.Section, v.Data = "New template", "templates", f
	if !f.ID.IsZero() {
		v.Title = "Template " + f.Name
	}
	return s.show(w, r, who, "template", v)
}

func (s *site) template(w http.ResponseWriter, r *http.Request, who session) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	t, found, err := templates.Find(r.Context(), s.rows(templates.Projection.Name), who.account, id)
	if err == nil && !found {
		err = commands.ErrNotFound
	}
	if err != nil {
		return err
	}
	v := view{}
	if r.URL.Query().Has("saved") {
		v.Notice = "Saved."
	}
	return s.templateForm(w, r, who, templateForm{ID: id, Name: t.Name, Content: t.Content, Revision: t.Revision}, v)
}

// contentOf reads the form. Browsers send lines that end in CRLF.
func contentOf(r *http.Request) template.Content {
	lines := strings.NewReplacer("\r\n", "\n")
	return template.Content{
		Subject: r.PostFormValue("subject"), HTML: lines.Replace(r.PostFormValue("html")), Text: lines.Replace(r.PostFormValue("text")),
	}
}

func (s *site) createTemplate(w http.ResponseWriter, r *http.Request, who session) error {
	req := s.request(r, who)
	cmd := commands.CreateTemplate{Template: req.ID.Derive("template"), Name: r.PostFormValue("name"), Content: contentOf(r)}
	err := s.Check(cmd.Content)
	if err == nil {
		err = act(s, r, who, templates.Projection.Name, cmd)
	}
	if problem, fault := refused(err); problem != "" {
		f := templateForm{Form: formID(r, "form"), Name: cmd.Name, Content: cmd.Content}
		return s.templateForm(w, r, who, f, view{Error: problem})
	} else if fault != nil {
		return fault
	}
	return seeOther(w, r, "/templates/"+cmd.Template.String()+"?saved")
}

func (s *site) editTemplate(w http.ResponseWriter, r *http.Request, who session) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	cmd := commands.EditTemplate{Template: id, Name: r.PostFormValue("name"), Content: contentOf(r)}
	if err = s.Check(cmd.Content); err == nil {
		err = act(s, r, who, templates.Projection.Name, cmd)
	}
	if problem, fault := refused(err); problem != "" {
		return s.templateForm(w, r, who, templateForm{ID: id, Name: cmd.Name, Content: cmd.Content}, view{Error: problem})
	} else if fault != nil {
		return fault
	}
	return seeOther(w, r, "/templates/"+id.String()+"?saved")
}

// sample is somebody to show a message for.
var sample = Sample{
	Email: "zoe@example.org", Name: "Zoë Ångström",
	Attributes: map[string]string{"city": "Malmö", "country": "Sweden", "language": "sv"},
}

// preview renders what is in the editor, saved or not, into a frame.
func (s *site) preview(w http.ResponseWriter, r *http.Request, _ session) error {
	w.Header().Set("Content-Security-Policy", framed)
	content := contentOf(r)
	err := s.Check(content)
	var out Rendered
	if err == nil {
		out, err = s.Preview(r.Context(), content, sample)
	}
	if problem, fault := refused(err); problem != "" {
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = w.Write([]byte(problem))
		return nil
	} else if fault != nil {
		return fault
	}
	if r.PostFormValue("show") == "text" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("Subject: " + out.Subject + "\n\n" + out.Text))
		return nil
	}
	writeFramed(w, `<p style="margin:0;padding:8px;font:16px system-ui;color:#222;background:#eee">Subject: `+
		html.EscapeString(out.Subject)+`</p>`+out.HTML)
	return nil
}

// writeFramed writes HTML of other people's making; its links open elsewhere.
func writeFramed(w http.ResponseWriter, content string) {
	w.Header().Set("Content-Security-Policy", framed)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte("<!doctype html><base target=\"_blank\">" + content))
}
