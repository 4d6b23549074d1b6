package api

import (
	"context"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/template"
	"github.com/cleversender/cleversender/projections/templates"
)

// Template is a message before it is somebody's.
type Template struct {
	ID        domain.ID `json:"id"`
	Name      string    `json:"name"`
	Subject   string    `json:"subject"`
	HTML      string    `json:"html,omitempty"`
	Text      string    `json:"text,omitempty"`
	Revision  uint64    `json:"revision"`
	CreatedAt time.Time `json:"created_at"`
	EditedAt  time.Time `json:"edited_at,omitzero"`
}

// TemplateNew is a template's name and content: Liquid, HTML or text or both.
type TemplateNew struct {
	Name    string `json:"name" minLength:"1" maxLength:"200"`
	Subject string `json:"subject" minLength:"1" maxLength:"998"`
	HTML    string `json:"html,omitempty"`
	Text    string `json:"text,omitempty"`
}

// TemplateID names a template.
type TemplateID struct {
	ID domain.ID `json:"id"`
}

// maxTemplateBody is what a template's JSON may take: its text is at most
// 512 kB, and escaping it may double that.
const maxTemplateBody = 1<<20 + 64<<10

func (s *Server) templateRoutes() {
	create := created(route(http.MethodPost, "/templates", "create-template", "templates", "Create a template"))
	create.MaxBodyBytes = maxTemplateBody
	add(s, create, func(ctx context.Context, in *struct {
		Idempotent
		Body TemplateNew
	}) (*Answer[TemplateID], error) {
		content := in.Body.content()
		if err := s.deps.Check(content); err != nil {
			return nil, err
		}
		req := s.request(ctx, in.Idempotent)
		id := s.newID(req, in.Idempotent, "template")
		at, err := do(ctx, s, req, in.Idempotent, commands.CreateTemplate{Template: id, Name: in.Body.Name, Content: content})
		return &Answer[TemplateID]{at, TemplateID{id}}, err
	})
	add(s, route(http.MethodGet, "/templates", "list-templates", "templates", "List the templates, newest first"),
		func(ctx context.Context, in *struct {
			Paged
			Waiting
		}) (*Shown[Page[Template]], error) {
			return s.listTemplates(ctx, in.Paged, in.Waiting)
		})
	add(s, route(http.MethodGet, "/templates/{id}", "get-template", "templates", "Show a template"),
		func(ctx context.Context, in *struct {
			ByID
			Waiting
		}) (*Shown[Template], error) {
			t, err := s.findTemplate(ctx, in.ID, in.Waiting)
			return &Shown[Template]{showTemplate(t)}, err
		})
	edit := route(http.MethodPut, "/templates/{id}", "edit-template", "templates", "Replace a template's name and content")
	edit.MaxBodyBytes = maxTemplateBody
	add(s, edit, func(ctx context.Context, in *struct {
		ByID
		Body TemplateNew
	}) (*Changed, error) {
		content := in.Body.content()
		if err := s.deps.Check(content); err != nil {
			return nil, err
		}
		req := s.request(ctx, Idempotent{})
		at, err := do(ctx, s, req, Idempotent{}, commands.EditTemplate{Template: in.ID, Name: in.Body.Name, Content: content})
		return &Changed{at}, err
	})
	add(s, route(http.MethodPost, "/templates/{id}/preview", "preview-template", "templates", "Render a template for a sample person"),
		func(ctx context.Context, in *struct {
			ByID
			Waiting
			Body Sample
		}) (*Shown[Rendered], error) {
			t, err := s.findTemplate(ctx, in.ID, in.Waiting)
			if err != nil {
				return nil, err
			}
			out, err := s.deps.Preview(ctx, t.Content, in.Body)
			return &Shown[Rendered]{out}, err
		})
}

func (t TemplateNew) content() template.Content {
	return template.Content{Subject: t.Subject, HTML: t.HTML, Text: t.Text}
}

func (s *Server) listTemplates(ctx context.Context, p Paged, w Waiting) (*Shown[Page[Template]], error) {
	after, err := p.afterNumber()
	if err != nil {
		return nil, err
	}
	rows, err := s.read(ctx, templates.Projection.Name, w)
	if err != nil {
		return nil, err
	}
	found, err := templates.Recent(ctx, rows, callerOf(ctx).account, templates.Cursor(after), p.Limit+1)
	if err != nil {
		return nil, err
	}
	return &Shown[Page[Template]]{page(found, p.Limit, showTemplate,
		func(t templates.Template) string { return number(t.Cursor()) })}, nil
}

func (s *Server) findTemplate(ctx context.Context, id domain.ID, w Waiting) (templates.Template, error) {
	rows, err := s.read(ctx, templates.Projection.Name, w)
	if err != nil {
		return templates.Template{}, err
	}
	t, found, err := templates.Find(ctx, rows, callerOf(ctx).account, id)
	if err == nil && !found {
		err = commands.ErrNotFound
	}
	return t, err
}

func showTemplate(t templates.Template) Template {
	return Template{t.ID, t.Name, t.Content.Subject, t.Content.HTML, t.Content.Text, t.Revision, t.CreatedAt, t.EditedAt}
}
