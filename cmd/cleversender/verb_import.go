package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
)

type importVerb struct {
	File      string            `arg:"" help:"CSV, or CSV in gzip; - is standard input."`
	List      domain.ID         `help:"Id of the list that the people come onto."`
	Purpose   []consent.Purpose `help:"What you assert that everyone in the file agreed to: ${purposes}."`
	Source    string            `help:"Where the file is from. Without it, its name."`
	Charset   string            `help:"IANA name of the encoding; without it UTF-8, or what the byte order mark says."`
	Delimiter string            `help:"comma, semicolon or tab; without it found from the header line."`
	Map       map[string]string `help:"A column of the file and what it is: email, name or an attribute, as column=target."`
	Errors    string            `help:"File to write the rows that were left out to: line, code, column." type:"path"`
}

// Run streams the file to the API, which reads it as it comes.
func (v importVerb) Run(s *session) error {
	file, size, err := v.open(s.in)
	if err != nil {
		return err
	}
	defer file.Close()
	c, err := s.client()
	if err != nil {
		return err
	}
	bar := s.bar(size, "importing")
	resp, err := c.Do(s.ctx, http.MethodPost, "/imports?"+v.query().Encode(), "text/csv", io.TeeReader(file, bar), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_ = bar.Finish()
	var done api.Import
	if err := json.NewDecoder(resp.Body).Decode(&done); err != nil {
		return fmt.Errorf("decode answer: %w", err)
	}
	if v.Errors != "" {
		if err := v.saveErrors(s, done.ID); err != nil {
			return err
		}
	}
	return s.print(done, func(w io.Writer) {
		n := done.Counts
		fmt.Fprintf(w, "Import %s %s: %d lines\n", done.ID, done.Status, done.Line)
		fmt.Fprintf(w, "added %d, updated %d, unchanged %d, suppressed %d, rejected %d\n", n.Added, n.Updated, n.Unchanged, n.Suppressed, n.Rejected)
		if n.HeldBack > 0 {
			fmt.Fprintf(w, "held back %d: suppressed, restricted, or they objected; they get no mail\n", n.HeldBack)
		}
		fmt.Fprintf(w, "SHA-256 of the file: %s\n", done.SHA256)
	})
}

func (v importVerb) open(stdin io.Reader) (file io.ReadCloser, size int64, err error) {
	if v.File == "-" {
		return io.NopCloser(stdin), -1, nil
	}
	f, err := os.Open(v.File)
	if err != nil {
		return nil, 0, fmt.Errorf("open the file: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, 0, fmt.Errorf("open the file: %w", err)
	}
	return f, info.Size(), nil
}

func (v importVerb) query() url.Values {
	q := url.Values{"source": {v.Source}}
	if v.Source == "" {
		q.Set("source", filepath.Base(v.File))
	}
	if !v.List.IsZero() {
		q.Set("list", v.List.String())
	}
	var purposes []string
	for _, p := range v.Purpose {
		purposes = append(purposes, string(p))
	}
	for name, value := range map[string]string{
		"purposes": strings.Join(purposes, ","), "charset": v.Charset, "delimiter": v.Delimiter,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for column, target := range v.Map {
		q.Add("map", column+"="+target)
	}
	return q
}

func (v importVerb) saveErrors(s *session, id domain.ID) error {
	resp, err := s.api.Do(s.ctx, http.MethodGet, "/imports/"+id.String()+"/errors", "", nil, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return save(v.Errors, resp.Body)
}

// save writes to a file that only its owner can read.
func save(path string, from io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write the file: %w", err)
	}
	if _, err := io.Copy(f, from); err != nil {
		_ = f.Close()
		return fmt.Errorf("write the file: %w", err)
	}
	return f.Close()
}
