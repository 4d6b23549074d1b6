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

const bounceSize = 1 + 1 + 16 + 4

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
	var room [bounceSize + 32]byte
	b := append(room[:0], byte(bounce), s.current)
	b = binary.BigEndian.AppendUint32(append(b, campaign[:]...), uint32(ordinal))
	b = s.keys[s.current].appendMAC(b, b)[:bounceSize+macSize]
	var text [128]byte
	out := bounceText.AppendEncode(text[:0], b)
	return string(append(append(out, '@'), host...))
}

// ParseBounce checks and reads the local part of a return path, in whichever case
// servers have left it: ErrBadBounce. The time it takes does not depend on how
// much of a MAC is right.
func (s *Signer) ParseBounce(local string) (campaign domain.ID, ordinal int, err error) {
	if len(local) != bounceText.EncodedLen(bounceSize+macSize) || strings.ContainsAny(local, "\r\n") { // the decoder skips these
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
	if err != nil || len(b) != bounceSize+macSize || Kind(b[0]) != bounce {
		return domain.ID{}, 0, ErrBadBounce
	}
	var again [64]byte
	if !bytes.Equal(bounceText.AppendEncode(again[:0], b), lower) { // stray bits at the end
		return domain.ID{}, 0, ErrBadBounce
	}
	key, known := s.keys[b[1]]
	if !known {
		return domain.ID{}, 0, ErrBadBounce
	}
	body, mac := b[:bounceSize], b[bounceSize:]
	var sum [32]byte
	if !hmac.Equal(key.appendMAC(sum[:0], body)[:macSize], mac) {
		return domain.ID{}, 0, ErrBadBounce
	}
	return domain.ID(body[2:18]), int(binary.BigEndian.Uint32(body[18:22])), nil
}
