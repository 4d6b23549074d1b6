package api

import (
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/contactimport"
	"github.com/cleversender/cleversender/projections/imports"
)

// Import is a file of contacts, and what came of it.
type Import struct {
	ID        domain.ID         `json:"id"`
	List      domain.ID         `json:"list,omitzero"`
	Purposes  []consent.Purpose `json:"purposes" nullable:"false"`
	Source    string            `json:"source,omitempty"`
	Status    imports.Status    `json:"status" doc:"running, finished or failed"`
	Code      string            `json:"code,omitempty" doc:"why it failed"`
	Line      int               `json:"line" doc:"everything up to it is in the log"`
	Bytes     int64             `json:"bytes"`
	SHA256    string            `json:"sha256,omitempty" doc:"of the file so far"`
	Counts    ImportCounts      `json:"counts"`
	StartedAt time.Time         `json:"started_at"`
	EndedAt   time.Time         `json:"ended_at,omitzero"`
}

// ImportCounts adds up to the rows read; held_back is some of them once more.
type ImportCounts struct {
	Added      int `json:"added"`
	Updated    int `json:"updated"`
	Unchanged  int `json:"unchanged"`
	Suppressed int `json:"suppressed" doc:"erased earlier: left out"`
	Rejected   int `json:"rejected"`
	HeldBack   int `json:"held_back" doc:"people held who get no mail whatever the file says: suppressed, restricted, or they objected"`
}

// Upload is the input of an import: the file is the body, as it is.
type Upload struct {
	Idempotent
	List      domain.ID         `query:"list" required:"true" doc:"the list that the people come onto"`
	Purposes  []consent.Purpose `query:"purposes" doc:"what the account asserts that everyone in the file agreed to"`
	Source    string            `query:"source" maxLength:"500" doc:"where the file is from"`
	Charset   string            `query:"charset" maxLength:"40" doc:"an IANA name; UTF-8 or what the byte order mark says when left out"`
	Delimiter string            `query:"delimiter" enum:"comma,semicolon,tab" doc:"found from the header line when left out"`
	Map       []string          `query:"map,explode" maxItems:"100" doc:"column=target, where the target is email, name or an attribute"`

	file io.Reader
}

// Resolve takes the body without reading it.
func (u *Upload) Resolve(ctx huma.Context) []error {
	u.file = ctx.BodyReader()
	return nil
}

// File is the output of a download.
type File struct {
	ContentType        string `header:"Content-Type"`
	ContentDisposition string `header:"Content-Disposition"`
	Body               func(huma.Context)
}

func (s *Server) importRoutes() {
	upload := created(route(http.MethodPost, "/imports", "import-contacts", "imports", "Import a file of contacts (CSV, or CSV in gzip)"))
	binary := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	upload.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"text/csv": binary, "application/gzip": binary, "application/octet-stream": binary,
	}}
	add(s, upload, s.importFile)
	add(s, route(http.MethodGet, "/imports", "list-imports", "imports", "List the imports, newest first"),
		func(ctx context.Context, in *struct {
			Paged
			Waiting
		}) (*Shown[Page[Import]], error) {
			return s.listImports(ctx, in.Paged, in.Waiting)
		})
	add(s, route(http.MethodGet, "/imports/{id}", "get-import", "imports", "Show an import"),
		func(ctx context.Context, in *struct {
			ByID
			Waiting
		}) (*Shown[Import], error) {
			i, err := s.findImport(ctx, in.ID, in.Waiting)
			return &Shown[Import]{showImport(i)}, err
		})
	rejected := route(http.MethodGet, "/imports/{id}/errors", "get-import-errors", "imports", "Download the rows that were left out, with line numbers and reasons (CSV)")
	rejected.Responses = fileResponse("text/csv")
	add(s, rejected, func(ctx context.Context, in *struct {
		ByID
		Waiting
	}) (*File, error) {
		return s.importErrors(ctx, in.ID, in.Waiting)
	})
}

// importFile answers when the whole file is in the log.
func (s *Server) importFile(ctx context.Context, in *Upload) (*Answer[Import], error) {
	if err := s.openList(ctx, in.List); err != nil {
		return nil, err
	}
	mapping, err := mappingOf(in.Map)
	if err != nil {
		return nil, err
	}
	req := s.request(ctx, in.Idempotent)
	job := ImportJob{
		Import: s.newID(req, in.Idempotent, "import"), Account: req.Account, Actor: req.Actor, List: in.List,
		Purposes: in.Purposes, Source: in.Source, Charset: in.Charset, Delimiter: delimiters[in.Delimiter], Mapping: mapping,
	}
	if err := s.deps.Import(ctx, job, in.file); err != nil {
		return nil, err
	}
	head, err := s.deps.Log.Head(ctx)
	if err != nil {
		return nil, err
	}
	i, err := s.findImport(ctx, job.Import, Waiting{uint64(head)})
	return &Answer[Import]{uint64(head), showImport(i)}, err
}

var delimiters = map[string]rune{"comma": ',', "semicolon": ';', "tab": '\t'}

func mappingOf(pairs []string) (map[string]string, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	out := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		i := strings.LastIndexByte(pair, '=')
		if i <= 0 {
			return nil, domain.Refuse("bad_mapping", "a mapping is written column=target")
		}
		out[pair[:i]] = pair[i+1:]
	}
	return out, nil
}

func (s *Server) listImports(ctx context.Context, p Paged, w Waiting) (*Shown[Page[Import]], error) {
	after, err := p.afterNumber()
	if err != nil {
		return nil, err
	}
	rows, err := s.read(ctx, imports.Projection.Name, w)
	if err != nil {
		return nil, err
	}
	found, err := imports.Recent(ctx, rows, callerOf(ctx).account, imports.Cursor(after), p.Limit+1)
	if err != nil {
		return nil, err
	}
	return &Shown[Page[Import]]{page(found, p.Limit, showImport,
		func(i imports.Import) string { return number(i.Cursor()) })}, nil
}

func (s *Server) findImport(ctx context.Context, id domain.ID, w Waiting) (imports.Import, error) {
	rows, err := s.read(ctx, imports.Projection.Name, w)
	if err != nil {
		return imports.Import{}, err
	}
	i, found, err := imports.Find(ctx, rows, callerOf(ctx).account, id)
	if err == nil && !found {
		err = commands.ErrNotFound
	}
	return i, err
}

func showImport(i imports.Import) Import {
	purposes := i.Purposes
	if purposes == nil {
		purposes = []consent.Purpose{}
	}
	return Import{i.ID, i.List, purposes, i.Source, i.Status, i.Code, i.Line, i.Bytes, i.SHA256, ImportCounts(i.Counts), i.StartedAt, i.EndedAt}
}

// importErrors streams the rows that were left out. No value of a row is kept,
// so none can be shown: the line finds it in the file.
func (s *Server) importErrors(ctx context.Context, id domain.ID, w Waiting) (*File, error) {
	if _, err := s.findImport(ctx, id, w); err != nil {
		return nil, err
	}
	rows := s.deps.Models.Reader(imports.Projection.Name)
	next := func(after int) ([]contactimport.RejectedRow, error) {
		return imports.Rejected(ctx, rows, id, after, 1000)
	}
	first, err := next(0)
	if err != nil {
		return nil, err
	}
	return &File{"text/csv; charset=utf-8", `attachment; filename="import-errors.csv"`, func(hc huma.Context) {
		hc.SetHeader("Content-Type", "text/csv; charset=utf-8")
		out := csv.NewWriter(hc.BodyWriter())
		_ = out.Write([]string{"line", "code", "column"})
		for found := first; len(found) > 0; {
			for _, r := range found {
				_ = out.Write([]string{strconv.Itoa(r.Line), r.Code, r.Column})
			}
			out.Flush()
			if out.Error() != nil { // the client has left
				return
			}
			if found, err = next(found[len(found)-1].Line); err != nil {
				s.deps.Logger.ErrorContext(ctx, "download of import errors cut short", "error", err)
				panic(http.ErrAbortHandler) // the client is told by a broken connection
			}
		}
	}}, nil
}

func fileResponse(contentType string) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
		contentType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
	}}}
}
