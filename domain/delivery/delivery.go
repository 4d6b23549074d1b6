// Package delivery is how a campaign reaches its people, segment by segment.
package delivery

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strconv"

	"github.com/cleversender/cleversender/domain"
)

// Stream is where the segment's events live; it has one owner at a time.
func Stream(campaign domain.ID, segment int) string {
	return "delivery-" + campaign.String() + "_" + strconv.Itoa(segment)
}

// A Reason says why somebody did not get a message. Names are stored.
type Reason string

const (
	NoConsent    Reason = "no_consent"   // never given
	Unconfirmed  Reason = "unconfirmed"  // double opt-in not completed
	Revoked      Reason = "revoked"      // withdrawn before the message's turn
	Suppressed   Reason = "suppressed"   // the address bounced, or the person complained
	Objected     Reason = "objected"     // the person objected to direct marketing (GDPR Art. 21(2))
	Restricted   Reason = "restricted"   // the person's data is kept and not used (GDPR Art. 18)
	Erased       Reason = "erased"       // the person's data is gone
	CampaignOver Reason = "cancelled"    // the campaign was called off
	BadTemplate  Reason = "not_rendered" // the template could not be rendered for this person
	Rejected     Reason = "rejected"     // the server said no
	Unreachable  Reason = "unreachable"  // no server took the message
)

// Subjects is a list of people; stored as base64 of their 16-byte ids.
type Subjects []domain.ID

// MarshalJSON packs the ids.
func (s Subjects) MarshalJSON() ([]byte, error) { return s.AppendJSON(nil) }

// AppendJSON is MarshalJSON into a buffer.
func (s Subjects) AppendJSON(b []byte) ([]byte, error) {
	raw := make([]byte, 0, 16*len(s))
	for _, id := range s {
		raw = append(raw, id[:]...)
	}
	return append(base64.RawStdEncoding.AppendEncode(append(b, '"'), raw), '"'), nil
}

// UnmarshalJSON unpacks the ids.
func (s *Subjects) UnmarshalJSON(data []byte) error {
	text, opened := bytes.CutPrefix(data, []byte{'"'})
	text, closed := bytes.CutSuffix(text, []byte{'"'})
	raw, err := base64.RawStdEncoding.AppendDecode(nil, text)
	if err != nil || len(raw)%16 != 0 || !opened || !closed {
		return errors.New("subjects: not base64 of 16-byte ids")
	}
	*s = make(Subjects, len(raw)/16)
	for i := range *s {
		(*s)[i] = domain.ID(raw[16*i : 16*i+16])
	}
	return nil
}
