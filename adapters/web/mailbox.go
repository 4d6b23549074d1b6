package web

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"strconv"
	"strings"

	"github.com/cleversender/cleversender/commands"
)

// mailRow is a caught message in the list.
type mailRow struct {
	Caught
	Subject string
}

func (s *site) mailbox(w http.ResponseWriter, r *http.Request, who session) error {
	before, _ := strconv.Atoi(r.URL.Query().Get("after"))
	found := s.Mailbox.Messages(before, perPage+1)
	shown, next := cut(found, func(m Caught) string { return strconv.Itoa(m.Number) })
	rows := make([]mailRow, len(shown))
	for i, m := range shown {
		rows[i] = mailRow{m, readMail(m.Data).header("Subject")}
	}
	return s.show(w, r, who, "mailbox", view{Title: "Mailbox", Section: "mailbox", Data: struct {
		Count    int
		Messages []mailRow
		Next     string
	}{s.Mailbox.Count(), rows, next}})
}

func (s *site) caught(r *http.Request) (Caught, error) {
	n, err := strconv.Atoi(r.PathValue("number"))
	if err == nil {
		if m, kept := s.Mailbox.Message(n); kept {
			return m, nil
		}
	}
	return Caught{}, commands.ErrNotFound
}

func (s *site) mail(w http.ResponseWriter, r *http.Request, who session) error {
	m, err := s.caught(r)
	if err != nil {
		return err
	}
	read := readMail(m.Data)
	return s.show(w, r, who, "mail", view{Title: "A message", Section: "mailbox", Data: struct {
		Caught
		Subject string
		Headers []mailHeader
		Text    string
		HasHTML bool
	}{m, read.header("Subject"), read.headers(), read.text, read.html != ""}})
}

func (s *site) mailHTML(w http.ResponseWriter, r *http.Request, _ session) error {
	m, err := s.caught(r)
	if err != nil {
		return err
	}
	writeFramed(w, readMail(m.Data).html)
	return nil
}

func (s *site) mailSource(w http.ResponseWriter, r *http.Request, _ session) error {
	m, err := s.caught(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(m.Data)
	return nil
}

// readable is a message, taken apart as far as it can be.
type readable struct {
	head       mail.Header
	text, html string
}

type mailHeader struct{ Name, Value string }

// shownHeaders are worth a look, in this order.
var shownHeaders = []string{
	"From", "To", "Reply-To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID",
}

func readMail(data []byte) *readable {
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return &readable{text: strings.ToValidUTF8(string(data), "\uFFFD")}
	}
	out := &readable{head: m.Header}
	out.part(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, 0)
	return out
}

// part keeps the first text and the first HTML that it finds.
func (m *readable) part(contentType, encoding string, body io.Reader, depth int) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") && depth < 5 {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err != nil {
				return
			}
			m.part(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p, depth+1)
		}
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	raw, _ := io.ReadAll(io.LimitReader(body, 4<<20)) // what can be read is shown
	switch text := strings.ToValidUTF8(string(raw), "\uFFFD"); {
	case kind == "text/html" && m.html == "":
		m.html = text
	case kind == "text/plain" && m.text == "":
		m.text = text
	}
}

func (m *readable) header(name string) string {
	value := m.head.Get(name)
	if decoded, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
		value = decoded
	}
	return value
}

func (m *readable) headers() []mailHeader {
	var out []mailHeader
	for _, name := range shownHeaders {
		if value := m.header(name); value != "" {
			out = append(out, mailHeader{name, value})
		}
	}
	return out
}
