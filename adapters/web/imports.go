package web

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/contactimport"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/projections/audience"
	importlist "github.com/cleversender/cleversender/projections/imports"
)

// uploadPattern is the one route whose body is not a small form.
const uploadPattern = "POST /imports"

var (
	errNoFile    = domain.Refuse("no_file", "pick a file")
	errBadUpload = domain.Refuse("bad_upload", "the upload could not be read; try again")
)

type importsPage struct {
	Form      domain.ID
	Lists     []audience.List
	Purposes  []consent.Purpose
	Imports   []importlist.Import
	ListNames map[domain.ID]string
	Next      string
}

func (s *site) imports(w http.ResponseWriter, r *http.Request, who session) error {
	return s.importsPage(w, r, who, "")
}

func (s *site) importsPage(w http.ResponseWriter, r *http.Request, who session, problem string) error {
	p := importsPage{Form: s.NewID(), Purposes: []consent.Purpose{consent.Mailing, consent.OpenTracking, consent.ClickTracking}}
	all, err := audience.Lists(r.Context(), s.rows(audience.Projection.Name), who.account, domain.ID{}, 1000)
	if err != nil {
		return err
	}
	p.ListNames = make(map[domain.ID]string, len(all))
	for _, l := range all {
		p.ListNames[l.ID] = l.Name
	}
	p.Lists = slices.DeleteFunc(all, func(l audience.List) bool { return l.Archived })
	found, err := importlist.Recent(r.Context(), s.rows(importlist.Projection.Name), who.account, importlist.Cursor(afterNumber(r)), perPage+1)
	if err != nil {
		return err
	}
	p.Imports, p.Next = cut(found, func(i importlist.Import) string { return strconv.FormatInt(int64(i.Cursor()), 10) })
	return s.show(w, r, who, "imports", view{Title: "Imports", Section: "imports", Error: problem, Data: p})
}

// importFile reads the form as it comes, so that no copy of the file lies
// anywhere; the file is the form's last field.
func (s *site) importFile(w http.ResponseWriter, r *http.Request, who session) error {
	job := ImportJob{Account: who.account, Actor: who.token}
	err := s.upload(r, who, &job)
	if problem, fault := refused(err); problem != "" {
		return s.importsPage(w, r, who, problem)
	} else if fault != nil {
		return fault
	}
	return seeOther(w, r, "/imports/"+job.Import.String())
}

func (s *site) upload(r *http.Request, who session, job *ImportJob) error {
	form, err := r.MultipartReader()
	if err != nil {
		return errBadUpload
	}
	job.Import = s.NewID()
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return errNoFile
		}
		if err != nil {
			return errBadUpload
		}
		if part.FormName() == "file" {
			return s.importPart(r, who, job, part)
		}
		value, err := io.ReadAll(io.LimitReader(part, 4<<10))
		if err != nil {
			return errBadUpload
		}
		job.set(who, part.FormName(), string(value))
	}
}

func (s *site) importPart(r *http.Request, who session, job *ImportJob, file *multipart.Part) error {
	if file.FileName() == "" {
		return errNoFile
	}
	if !job.List.IsZero() {
		if err := commands.Exists(r.Context(), s.Log, who.account, list.Stream(job.List)); err != nil {
			return err
		}
	}
	return s.Import(r.Context(), *job, file)
}

// set takes one field of the form.
func (j *ImportJob) set(who session, field, value string) {
	switch field {
	case "form":
		j.Import = who.account.Derive("form/" + value)
	case "list":
		if id, err := domain.ParseID(value); err == nil {
			j.List = id
		}
	case "source":
		j.Source = value
	case "purpose":
		j.Purposes = append(j.Purposes, consent.Purpose(value))
	}
}

func (s *site) importPage(w http.ResponseWriter, r *http.Request, who session) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	ctx, rows := r.Context(), s.rows(importlist.Projection.Name)
	i, found, err := importlist.Find(ctx, rows, who.account, id)
	if err == nil && !found {
		err = commands.ErrNotFound
	}
	if err != nil {
		return err
	}
	after, _ := strconv.Atoi(r.URL.Query().Get("after"))
	rejected, err := importlist.Rejected(ctx, rows, id, after, perPage+1)
	if err != nil {
		return err
	}
	rejected, next := cut(rejected, func(row contactimport.RejectedRow) string { return strconv.Itoa(row.Line) })
	names, err := s.listNames(ctx, who.account)
	if err != nil {
		return err
	}
	v := view{Title: "Import", Section: "imports", Data: struct {
		importlist.Import
		ListName string
		Rejected []contactimport.RejectedRow
		Next     string
	}{i, names[i.List], rejected, next}}
	if i.Status == importlist.Running {
		v.Refresh = 2
	}
	return s.show(w, r, who, "import", v)
}
