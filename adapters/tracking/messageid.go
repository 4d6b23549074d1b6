package tracking

import (
	"encoding/base64"
	"strings"

	"github.com/cleversender/cleversender/domain"
)

// messageID is the kind of a Message-ID: no token in a link has it. The number
// is persisted in mailboxes.
const messageID Kind = 6

// MessageID is the Message-ID of a campaign's message to one recipient, without
// angle brackets (RFC 5322, section 3.6.4): the same whenever it is made again.
// A report that quotes nothing else of a message leads back to it by this. host
// is an A-label domain. It is made with the key of the lowest id, so that
// rotation does not change it.
func (s *Signer) MessageID(campaign domain.ID, ordinal int, host string) string {
	var room, text [128]byte
	out := base64.RawURLEncoding.AppendEncode(text[:0], s.appendLetter(room[:0], messageID, s.oldest, campaign, ordinal))
	return string(append(append(out, '@'), host...))
}

// ParseMessageID checks and reads what stands before the @ of a Message-ID:
// ErrBadMessageID.
func (s *Signer) ParseMessageID(local string) (campaign domain.ID, ordinal int, err error) {
	if len(local) != base64.RawURLEncoding.EncodedLen(letterSize+macSize) || strings.ContainsAny(local, "\r\n") { // the decoder skips these
		return domain.ID{}, 0, ErrBadMessageID
	}
	var room [64]byte
	b, err := strict.AppendDecode(room[:0], []byte(local))
	if err != nil {
		return domain.ID{}, 0, ErrBadMessageID
	}
	campaign, ordinal, ok := s.readLetter(messageID, b)
	if !ok {
		return domain.ID{}, 0, ErrBadMessageID
	}
	return campaign, ordinal, nil
}

// ErrBadMessageID: not a Message-ID of ours, or one that was tampered with.
var ErrBadMessageID = domain.Refuse("bad_message_id", "the Message-ID is not one that we made")
