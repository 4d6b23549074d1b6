package bounce

import (
	"strings"

	"github.com/cleversender/cleversender/domain/personal"
)

// copies are the lines after which a text bounce repeats the message, whose
// words are not the server's.
var copies = []string{
	"--- below this line is a copy of the message", // qmail
	"------ this is a copy of",                     // Exim: of the message, of its headers
	"----- original message",                       // Sendmail, Gmail
	"-----original message",                        // Outlook
	"----- unsent message follows",                 // older Sendmail
	"--- the message cannot be delivered",          // CommuniGate
	"original message headers",                     // Exchange
}

// text reads a bounce in words for people.
func (r *Report) text(m *mail) {
	r.Source, r.Kind = Text, Unknown
	said := m.text
	for _, line := range copies {
		if at := strings.Index(strings.ToLower(said), line); at >= 0 && at <= len(said) {
			m.adopt(said[at:])
			said = said[:at]
		}
	}
	if failed := addressIn(m.header.Get("X-Failed-Recipients")); failed != "" { // Exim
		r.Recipient = personal.Of(failed)
	}
	plain := squeezed(decoded(m.header.Get("Subject")) + "\n" + said)
	low := strings.ToLower(plain)
	if p, at := match(delays, low); at >= 0 {
		r.Kind, r.Status = p.kind, p.status
		return
	}
	r.Kind, r.Status = judge(findCode(plain), findStatus(plain), plain)
	_, at := match(patterns, low)
	from := strings.LastIndexByte(plain[:max(0, min(at-100, len(plain)))], ' ') + 1
	r.Diagnostic = Quote(plain[from:])
}

// adopt takes the header of a message that a text repeats, after a line or two
// of announcement.
func (m *mail) adopt(text string) {
	for rest := text; m.original == nil && rest != ""; {
		var block fields
		if block, rest = readFields(rest); block.get("Message-ID") != "" || block.get("Return-Path") != "" {
			m.original = block
		}
	}
}

// failures are how subjects of text bounces begin, or what they hold.
var failures = []string{
	"undeliver", "failure notice", "delivery status", "delivery failure", "delivery has failed", "mail delivery failed", "mail delivery system",
	"returned mail", "returned to sender", "non-delivery", "nondeliverable", "delivery incomplete", "delivery delayed", "could not be delivered",
	"delivery notification", "could not send message", "mail system error", "unzustellbar", "non remis", "no se puede entregar", "mancato recapito",
	"onbestelbaar", "não foi entregue", "не доставлено", "退信",
}

// isBounce: a mail system wrote it, and not about itself.
func (m *mail) isBounce() bool {
	from := strings.ToLower(m.header.Get("From"))
	if m.header.Get("X-Failed-Recipients") != "" || strings.Contains(from, "mailer-daemon") ||
		strings.Contains(m.text, "This is the qmail-send program") {
		return true
	}
	if !strings.Contains(from, "postmaster") && !strings.Contains(from, "mail delivery") && !m.isAutomatic() &&
		strings.TrimSpace(m.header.Get("Return-Path")) != "<>" {
		return false
	}
	return contains(strings.ToLower(decoded(m.header.Get("Subject"))), failures)
}

// absences are how subjects of automatic answers begin, in the words of
// Exchange, Gmail and the vacation program.
var absences = []string{
	"automatic reply", "auto reply", "auto-reply", "autoreply", "auto response", "autoresponse", "out of office", "out of the office", "away from my mail",
	"away from the office", "on vacation", "on holiday", "abwesenheit", "automatische antwort", "nicht im büro", "réponse automatique", "absence du bureau",
	"respuesta automática", "fuera de la oficina", "risposta automatica", "fuori sede", "resposta automática", "automatisch antwoord", "afwezig",
	"autosvar", "automatisk svar", "frånvaro", "automatyczna odpowiedź", "автоматический ответ", "автоответ", "自動応答", "自动回复", "自動返信",
}

// isAutomatic: a machine answered (RFC 3834, section 5, and what was usual
// before it).
func (m *mail) isAutomatic() bool {
	sent := strings.ToLower(m.header.Get("Auto-Submitted"))
	precedence := strings.ToLower(m.header.Get("Precedence"))
	switch {
	case strings.HasPrefix(sent, "auto-"), precedence == "auto_reply":
		return true
	case m.header.Has("X-Autoreply"), m.header.Has("X-Autorespond"), m.header.Has("X-Autoresponder"), m.header.Has("X-Vacation"):
		return true
	}
	return contains(strings.ToLower(decoded(m.header.Get("Subject"))), absences)
}

func contains(text string, any []string) bool {
	for _, one := range any {
		if strings.Contains(text, one) {
			return true
		}
	}
	return false
}
