package tracking

import (
	"bytes"
	"crypto/hmac"
	"encoding/base32"
	"encoding/binary"
	"math"
	"strings"

	"github.com/cleversender/cleversender/domain"
)

// bounce is the kind of a return path: no token in a link has it. The number is
// persisted in mailboxes.
const bounce Kind = 5

// letterSize is that of what names one recipient's message, without its MAC.
const letterSize = 1 + 1 + 16 + 4

// NoOrdinal stands in the return path of a message outside campaigns: its own id is in the
// place of the campaign's. The number is persisted in mailboxes.
const NoOrdinal = math.MaxUint32

// ErrBadBounce: not a return path of ours, or one that was tampered with.
var ErrBadBounce = domain.Refuse("bad_bounce", "the address is not one that we made")

var bounceText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// BounceAddress is the envelope sender of a campaign's message to one recipient:
// what comes back to it says by itself which message it is about. The local part
// has 61 octets of the 64 that RFC 5321, section 4.5.3.1.1 allows. host is an
// A-label domain.
func (s *Signer) BounceAddress(campaign domain.ID, ordinal int, host string) string {
	var room, text [128]byte
	out := bounceText.AppendEncode(text[:0], s.appendLetter(room[:0], bounce, s.current, campaign, ordinal))
	return string(append(append(out, '@'), host...))
}

// ParseBounce checks and reads the local part of a return path, in whichever case
// servers have left it: ErrBadBounce. The time it takes does not depend on how
// much of a MAC is right.
func (s *Signer) ParseBounce(local string) (campaign domain.ID, ordinal int, err error) {
	if len(local) != bounceText.EncodedLen(letterSize+macSize) || strings.ContainsAny(local, "\r\n") { // the decoder skips these
		return domain.ID{}, 0, ErrBadBounce
	}
	var text, room [64]byte
	lower := append(text[:0], local...)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	b, err := bounceText.AppendDecode(room[:0], lower)
	if err != nil {
		return domain.ID{}, 0, ErrBadBounce
	}
	var again [64]byte
	if !bytes.Equal(bounceText.AppendEncode(again[:0], b), lower) { // stray bits at the end
		return domain.ID{}, 0, ErrBadBounce
	}
	campaign, ordinal, ok := s.readLetter(bounce, b)
	if !ok {
		return domain.ID{}, 0, ErrBadBounce
	}
	return campaign, ordinal, nil
}

// appendLetter appends what names one recipient's message, signed.
func (s *Signer) appendLetter(dst []byte, kind Kind, key byte, campaign domain.ID, ordinal int) []byte {
	b := append(dst, byte(kind), key)
	b = binary.BigEndian.AppendUint32(append(b, campaign[:]...), uint32(ordinal))
	return s.keys[key].appendMAC(b, b[len(dst):])[:len(b)+macSize]
}

// readLetter is the inverse of appendLetter; ok is false for what it did not make.
func (s *Signer) readLetter(kind Kind, b []byte) (campaign domain.ID, ordinal int, ok bool) {
	if len(b) != letterSize+macSize || Kind(b[0]) != kind {
		return domain.ID{}, 0, false
	}
	key, known := s.keys[b[1]]
	if !known {
		return domain.ID{}, 0, false
	}
	body, mac := b[:letterSize], b[letterSize:]
	var sum [32]byte
	if !hmac.Equal(key.appendMAC(sum[:0], body)[:macSize], mac) {
		return domain.ID{}, 0, false
	}
	return domain.ID(body[2:18]), int(binary.BigEndian.Uint32(body[18:22])), true
}
