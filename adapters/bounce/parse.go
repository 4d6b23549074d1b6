// Package bounce reads what mail servers, providers and people say of the
// messages that they did not want or could not deliver.
//
// Parse reads mail, Classify a reply of SMTP. What comes in is written by
// strangers: reading it takes bounded memory and time, never panics, and what
// it says is a claim. A report whose reason is in doubt is taken for the mildest
// that fits, since nobody is to lose their mail by a misunderstanding.
package bounce

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/cleversender/cleversender/domain/personal"
)

// Parse reads a mail that came to envelopeTo, which is "" when that is not
// known. An error means that it is no mail at all; its words repeat nothing of
// the mail.
func Parse(envelopeTo string, raw []byte) (Report, error) {
	raw = raw[:min(len(raw), MaxBytes)]
	m, err := readMail(raw)
	if err != nil {
		return Report{}, fmt.Errorf("a mail of %d bytes: %w", len(raw), err)
	}
	sum := sha256.Sum256(raw)
	r := Report{ID: hex.EncodeToString(sum[:16])}
	switch {
	case m.feedback != "":
		r.feedback(m)
	case m.status != "":
		r.dsn(m)
	case m.isForwardedComplaint():
		r.Source, r.Kind, r.Feedback = Feedback, Complaint, "abuse"
	case m.isBounce():
		r.text(m)
	case m.isAutomatic():
		r.Source, r.Kind = Text, AutoReply
	default:
		r.Source, r.Kind = Text, Unknown
	}
	r.trace(envelopeTo, m)
	return r, nil
}

// trace finds what leads back to the message.
func (r *Report) trace(envelopeTo string, m *mail) {
	seen := map[string]bool{}
	add := func(value string) {
		if path := addressIn(value); path != "" && !seen[path] {
			seen[path] = true
			r.Paths = append(r.Paths, personal.Of(path))
		}
	}
	add(envelopeTo)
	report, _ := readFields(m.feedback)
	add(report.get("Original-Mail-From")) // RFC 5965, section 3.2
	for _, name := range []string{"Return-Path", "X-Original-Return-Path", "X-Envelope-From", "Errors-To"} {
		add(m.original.get(name))
	}
	for _, name := range []string{"Delivered-To", "X-Original-To", "Envelope-To", "To"} { // whom the report itself was sent to
		add(m.header.Get(name))
	}
	for _, id := range []string{
		m.original.get("Message-ID"), m.header.Get("In-Reply-To"), lastWord(m.header.Get("References")), // RFC 3834, section 3.1.5
	} {
		if r.MessageID == "" {
			r.MessageID = idIn(id)
		}
	}
}

var (
	bracketed = regexp.MustCompile(`<([^<>\s]{1,500})>`)
	bare      = regexp.MustCompile(`^[^<>\s@]{1,128}@[^<>\s@]{1,255}$`)
)

// addressIn is the address in a field, without its angle brackets, or "".
func addressIn(value string) string {
	value = strings.TrimSpace(value)
	if found := bracketed.FindStringSubmatch(value); found != nil {
		value = found[1]
	}
	if !bare.MatchString(value) {
		return ""
	}
	return value
}

// idIn is the id in a field, without its angle brackets, or "".
func idIn(value string) string {
	if found := bracketed.FindStringSubmatch(value); found != nil {
		return found[1]
	}
	return ""
}

func lastWord(s string) string {
	return s[strings.LastIndexAny(s, " \t")+1:]
}
