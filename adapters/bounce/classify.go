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

// Explain is what a refusal that somebody reports says of the mailbox, and the
// status that fits best: status as the reporter gives it, or "", and the words
// of the server that refused.
func Explain(status, words string) (Kind, string) {
	status = findStatus(status)
	if theirs := findStatus(words); imprecise(status) && theirs != "" && (status == "" || theirs[0] == status[0]) {
		status = theirs // the host that refused knows better than the one that reports
	}
	return judge(findCode(words+" "), status, words)
}

func imprecise(status string) bool {
	_, precise := ofStatus(status)
	return !precise
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
