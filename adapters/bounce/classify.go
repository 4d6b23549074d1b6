package bounce

import "strings"

// Classify is what an SMTP server's refusal says of the mailbox: Hard, Soft or
// Block, or Unknown when it says nothing of either. enhanced may be "" (RFC
// 2034); a temporary refusal is never hard.
func Classify(code int, enhanced, text string) Kind {
	if enhanced == "" {
		enhanced = findStatus(text)
	}
	if code/100 == 4 && strings.HasPrefix(enhanced, "5.") { // RFC 2034, section 4: the classes agree
		enhanced = "4" + enhanced[1:]
	}
	kind, _ := judge(code, enhanced, text)
	return kind
}

// judge weighs a reply's code (0: none), its enhanced status (""), and its
// words. It returns the status that fits best.
func judge(code int, status, text string) (Kind, string) {
	p, at := match(patterns, folded(text))
	said := at >= 0
	switch {
	case strings.HasPrefix(status, "4.") || status == "" && code/100 == 4:
		if strings.HasPrefix(status, "4.7.") && p.kind != Soft || p.kind == Block {
			return Block, status // it is us whom they put off: no fault of the mailbox
		}
		return Soft, status
	case status != "" && !strings.HasPrefix(status, "5."):
		return Unknown, status // a refusal that says 2: nonsense
	case status == "" && said:
		return p.kind, p.status
	case status == "":
		return ofCode(code), ""
	}
	kind, precise := ofStatus(status)
	switch {
	case said && !precise:
		return p.kind, p.status
	case said && kind == Hard: // the milder of the two
		return p.kind, status
	case !said && !precise && kind == Unknown:
		return ofCode(code), status
	default:
		return kind, status
	}
}
