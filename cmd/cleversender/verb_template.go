package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/cleversender/cleversender/adapters/api"
)

type templateVerbs struct {
	Create  templateCreateVerb  `cmd:"" help:"Create a template."`
	Edit    templateEditVerb    `cmd:"" help:"Replace a template's name and content."`
	Ls      templateLsVerb      `cmd:"" help:"List the templates, newest first."`
	Show    templateShowVerb    `cmd:"" help:"Show a template."`
	Preview templatePreviewVerb `cmd:"" help:"Render a template for a sample person."`
}

// templateContent is where a template's content comes from.
type templateContent struct {
	Name    string `help:"What the template is called." required:""`
	Subject string `help:"Subject line (Liquid)." required:""`
	HTML    string `help:"File with the HTML part (Liquid)." type:"existingfile" name:"html"`
	Text    string `help:"File with the text part (Liquid); without one it is made from the HTML." type:"existingfile"`
}

func (c templateContent) read() (api.TemplateNew, error) {
	t := api.TemplateNew{Name: c.Name, Subject: c.Subject}
	for _, part := range []struct {
		file string
		into *string
	}{{c.HTML, &t.HTML}, {c.Text, &t.Text}} {
		if part.file == "" {
			continue
		}
		content, err := os.ReadFile(part.file)
		if err != nil {
			return t, fmt.Errorf("read template: %w", err)
		}
		*part.into = string(content)
	}
	return t, nil
}

type templateCreateVerb struct{ templateContent }

// Run implements the verb.
func (v templateCreateVerb) Run(s *session) error {
	t, err := v.read()
	if err != nil {
		return err
	}
	var made api.TemplateID
	if err := s.post("/templates", t, &made); err != nil {
		return err
	}
	return s.print(made, func(w io.Writer) { fmt.Fprintln(w, made.ID) })
}

type templateEditVerb struct {
	ID string `arg:""`
	templateContent
}

// Run implements the verb.
func (v templateEditVerb) Run(s *session) error {
	t, err := v.read()
	if err != nil {
		return err
	}
	return s.done(s.call(http.MethodPut, "/templates/"+v.ID, t, nil), "edited")
}

type templateLsVerb struct{ paging }

// Run implements the verb.
func (v templateLsVerb) Run(s *session) error {
	return listed(s, "/templates", v.paging, []string{"ID", "NAME", "REVISION", "EDITED"}, func(t api.Template) []string {
		return []string{t.ID.String(), t.Name, strconv.FormatUint(t.Revision, 10), date(t.EditedAt)}
	})
}

type templateShowVerb struct {
	ID string `arg:""`
}

// Run implements the verb.
func (v templateShowVerb) Run(s *session) error {
	var t api.Template
	if err := s.get("/templates/"+v.ID, &t); err != nil {
		return err
	}
	return s.print(t, func(w io.Writer) {
		fmt.Fprintf(w, "%s (revision %d)\nSubject: %s\n\n%s\n\n%s\n", t.Name, t.Revision, t.Subject, t.Text, t.HTML)
	})
}

type templatePreviewVerb struct {
	ID    string            `arg:""`
	Email string            `help:"Of the sample person." default:"ada@example.org"`
	Name  string            `help:"Of the sample person." default:"Ada Lovelace"`
	Attr  map[string]string `help:"Of the sample person, as key=value."`
}

// Run implements the verb.
func (v templatePreviewVerb) Run(s *session) error {
	var r api.Rendered
	if err := s.post("/templates/"+v.ID+"/preview", api.Sample{Email: v.Email, Name: v.Name, Attributes: v.Attr}, &r); err != nil {
		return err
	}
	return s.print(r, func(w io.Writer) { fmt.Fprintf(w, "Subject: %s\n\n%s\n\n%s\n", r.Subject, r.Text, r.HTML) })
}
