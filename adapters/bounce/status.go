package bounce

import "strings"

// statuses is what permanent enhanced status codes mean, without their class:
// RFC 3463, section 3, and the registry of RFC 5248. A subject alone stands
// for its details that are not listed. When in doubt a status is not hard:
// wrongly suppressed is worse than mailed once more.
var statuses = map[string]Kind{
	"1":     Hard,      // the address
	"1.4":   Soft,      // ambiguous
	"1.5":   Delivered, // valid
	"1.7":   Block,     // bad sender syntax
	"1.8":   Block,     // bad sender system
	"1.9":   Soft,      // relayed to a system that speaks no SMTP
	"2":     Soft,      // the mailbox
	"2.1":   Hard,      // disabled
	"3":     Soft,      // the mail system; 3.4: message too big
	"4":     Soft,      // network and routing; 4.7: expired
	"4.4":   Hard,      // unable to route: no such domain (Postfix)
	"4.310": Hard,      // no such domain (Exchange)
	"5":     Unknown,   // the protocol
	"6":     Block,     // the message's content
	"6.7":   Soft,      // no SMTPUTF8 there (RFC 6531, section 3.5)
	"7":     Block,     // security or policy
	"7.17":  Hard,      // the mailbox has another owner (RFC 7293, section 14)
	"7.18":  Hard,      // the domain has another owner
}

// vague are statuses that servers give for nearly everything, so that the
// words beside them tell more: those here, and every detail 0.
var vague = map[string]bool{
	"4.1": true, // "no answer", and Exchange's word for no such user
	"7.1": true, // "not authorized", the favourite of those who had no better
}

// ofStatus is what an enhanced status means when it is permanent, and whether
// it is precise.
func ofStatus(status string) (kind Kind, precise bool) {
	_, rest, _ := strings.Cut(status, ".")
	subject, detail, _ := strings.Cut(rest, ".")
	precise = detail != "0" && subject != "0" && subject != "5" && !vague[rest]
	if kind, ok := statuses[rest]; ok {
		return kind, precise
	}
	if kind, ok := statuses[subject]; ok {
		return kind, precise
	}
	return Unknown, false
}

// ofCode is what a permanent SMTP reply means by its code alone.
func ofCode(code int) Kind {
	switch code {
	case 550, 551, 553: // mailbox unavailable, not local, name not allowed (RFC 5321, section 4.2.3)
		return Hard
	case 521, 556: // the host, the domain takes no mail (RFC 7504, section 3)
		return Hard
	case 552: // storage exceeded
		return Soft
	case 554: // transaction failed
		return Block
	default:
		return Unknown
	}
}

// findStatus is the first enhanced status of class 4 or 5 in a text, or "".
func findStatus(text string) string {
	for i := 0; i < len(text); i++ {
		if text[i] != '4' && text[i] != '5' || i > 0 && (text[i-1] == '.' || isWord(text[i-1])) {
			continue
		}
		if n := lenStatus(text[i:]); n > 0 {
			return text[i : i+n]
		}
	}
	return ""
}

// lenStatus is how long the enhanced status is that s begins with (RFC 3463,
// section 2); 0: none. An IP address is none.
func lenStatus(s string) int {
	i, dots, digits := 1, 0, 1
	for ; i < len(s); i++ {
		switch {
		case '0' <= s[i] && s[i] <= '9':
			if digits++; digits > 3 {
				return 0
			}
		case s[i] == '.' && dots < 2 && digits > 0 && (dots > 0 || i == 1):
			dots, digits = dots+1, 0
		default:
			if dots < 2 || digits == 0 || isWord(s[i]) || s[i] == '.' && i+1 < len(s) && isWord(s[i+1]) {
				return 0
			}
			return i
		}
	}
	if dots < 2 || digits == 0 {
		return 0
	}
	return i
}

// findCode is the first negative SMTP reply code in a text, or 0.
func findCode(text string) int {
	for i := 0; i+3 < len(text); i++ {
		if (text[i] == '4' || text[i] == '5') && '0' <= text[i+1] && text[i+1] <= '7' && '0' <= text[i+2] && text[i+2] <= '9' &&
			(text[i+3] == ' ' || text[i+3] == '-') && (i == 0 || strings.IndexByte(" \t\n:;(", text[i-1]) >= 0) {
			return int(text[i]-'0')*100 + int(text[i+1]-'0')*10 + int(text[i+2]-'0')
		}
	}
	return 0
}

func isWord(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
