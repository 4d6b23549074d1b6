package record

import (
	"strings"

	report "github.com/cleversender/cleversender/adapters/bounce"
	"github.com/cleversender/cleversender/domain"
)

// trace finds the message that a report is about: by a return path in our
// domain, or by its Message-ID, whichever has a MAC of ours. Without one the
// report is forged when it names such a path, else unknown.
func (r *Recorder) trace(found report.Report) (id domain.ID, ordinal int, verdict result) {
	verdict = unknown
	for _, p := range found.Paths {
		path, _ := p.Reveal()
		at := strings.LastIndexByte(path, '@')
		if at < 0 || r.o.Domain == "" || !strings.EqualFold(path[at+1:], r.o.Domain) {
			continue
		}
		if id, ordinal, err := r.o.Signer.ParseBounce(path[:at]); err == nil {
			return id, ordinal, recorded
		}
		verdict = forged
	}
	local, _, _ := strings.Cut(found.MessageID, "@")
	if id, ordinal, err := r.o.Signer.ParseMessageID(local); err == nil {
		return id, ordinal, recorded
	}
	return domain.ID{}, 0, verdict
}
