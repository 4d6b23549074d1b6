package eventlog

import (
	"crypto/cipher"

	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

// Ready is a Keyring that knows some keys without looking them up.
type Ready interface {
	// AtHand returns the keys named, or false when it would have to look.
	AtHand(refs []personal.KeyRef) ([]cipher.AEAD, bool)
}

// Prepare seals drafts for a stream before they are appended there, as far as
// their keys are at hand, so that whoever writes for many has less left to do.
func (j *Journal) Prepare(stream string, drafts []event.Draft) {
	ready, ok := j.keys.(Ready)
	if !ok {
		return
	}
	for i := range drafts {
		d, keys := &drafts[i], keyset{}
		var refs []personal.KeyRef
		if j.collect(d.Meta.Subject, d.Data, keys, &refs) != nil {
			continue // appending will say why
		}
		aeads, known := ready.AtHand(refs)
		if !known {
			continue
		}
		for k, aead := range aeads {
			keys[refs[k]] = aead
		}
		if stored, err := j.encode(stream, *d, keys); err == nil {
			d.Sealed = &stored
		}
	}
}

func sealedFor(stream string, d event.Draft) bool {
	return d.Sealed != nil && d.Sealed.Stream == stream
}
