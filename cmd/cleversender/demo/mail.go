package demo

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// received is a message as a mail client sees it: what can be fetched and followed.
type received struct {
	subject     string
	pixel       string   // "" when the message has none
	links       []string // tracked links
	unsubscribe string   // List-Unsubscribe (RFC 2369), the https or http one
	oneClick    bool     // RFC 8058
}

// open reads a message: its headers, and the HTML part of multipart/alternative.
func open(raw []byte) (received, error) {
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return received{}, err
	}
	var r received
	if r.subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil {
		return r, err
	}
	for _, uri := range strings.Split(msg.Header.Get("List-Unsubscribe"), ",") {
		if u := strings.Trim(uri, " <>"); strings.HasPrefix(u, "http") {
			r.unsubscribe = u
		}
	}
	r.oneClick = msg.Header.Get("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
	page, err := htmlPart(msg)
	if err != nil {
		return r, err
	}
	return r, r.collect(page)
}

func htmlPart(msg *mail.Message) (io.Reader, error) {
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(kind, "multipart/") {
		return nil, errors.New("the message has no HTML part")
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			return quotedprintable.NewReader(part), nil
		}
	}
}

// collect finds the pixel and the tracked links.
func (r *received) collect(page io.Reader) error {
	tokens := html.NewTokenizer(page)
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			if err := tokens.Err(); err != io.EOF {
				return err
			}
			return nil
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := tokens.Token()
			for _, a := range tag.Attr {
				u, err := url.Parse(a.Val)
				switch {
				case err != nil:
				case tag.Data == "img" && a.Key == "src" && strings.HasPrefix(u.Path, "/o/"):
					r.pixel = a.Val
				case tag.Data == "a" && a.Key == "href" && strings.HasPrefix(u.Path, "/c/"):
					r.links = append(r.links, a.Val)
				}
			}
		}
	}
}
