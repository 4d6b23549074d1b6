package audience

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections"
)

// What is known of a person is one column, since SQLite asks for its share of
// each. Numbers are big-endian:
//
//	known     added (8, microseconds), changed (8), sealed by (16), and then, each after its
//	          length (4): source, consents, lists, holds; sealed email, name, attributes
//	answer    status (index into statuses, +128 while asked), position (8)
//	consents  an answer for each of purposes; empty when there is none at all
//	lists     for each: list id (16), answer (9), joined (1), since (8, microseconds)
//
// Status and purpose are stored by index here: a change of order is a new
// version of the projection.
var (
	statuses = []consent.Status{
		consent.StatusNone, consent.StatusRequested, consent.StatusAsserted,
		consent.StatusGiven, consent.StatusConfirmed, consent.StatusRevoked,
	}
	purposes = []consent.Purpose{consent.OpenTracking, consent.ClickTracking, consent.Profiling, consent.PolicyNotices}
)

const (
	asked      = 128
	answerSize = 1 + 8
	memberSize = 16 + answerSize + 1 + 8
)

func purpose(p consent.Purpose) int { return slices.Index(purposes, p) }

func (a *answer) append(b []byte) []byte {
	s := byte(slices.Index(statuses, a.Status))
	if a.Asked {
		s |= asked
	}
	return binary.BigEndian.AppendUint64(append(b, s), uint64(a.at))
}

func (a *answer) read(b []byte) error {
	i := int(b[0] &^ asked)
	if i >= len(statuses) {
		return errPacked
	}
	a.State = consent.State{Status: statuses[i], Asked: b[0]&asked != 0}
	a.at = event.Position(binary.BigEndian.Uint64(b[1:]))
	return nil
}

var errPacked = errors.New("audience: what is known of a person is of another length")

func (as *answers) pack() []byte {
	if *as == (answers{}) {
		return []byte{}
	}
	b := make([]byte, 0, len(as)*answerSize)
	for i := range as {
		b = as[i].append(b)
	}
	return b
}

func (as *answers) read(b []byte) error {
	*as = answers{}
	if len(b) == 0 {
		return nil
	}
	if len(b) != len(as)*answerSize {
		return errPacked
	}
	for i := range as {
		if err := as[i].read(b[i*answerSize:]); err != nil {
			return err
		}
	}
	return nil
}

func packMembers(ms []member) []byte {
	b := make([]byte, 0, len(ms)*memberSize)
	for i := range ms {
		m := &ms[i]
		b = m.append(append(b, m.list[:]...))
		b = append(b, byte(projections.Flag(m.joined)))
		b = binary.BigEndian.AppendUint64(b, uint64(projections.Micros(m.since)))
	}
	return b
}

func readMembers(ms []member, b []byte) ([]member, error) {
	if len(b)%memberSize != 0 {
		return nil, errPacked
	}
	for ; len(b) > 0; b = b[memberSize:] {
		m := member{
			list: domain.ID(b[:16]), joined: b[16+answerSize] != 0,
			since: projections.Time(int64(binary.BigEndian.Uint64(b[16+answerSize+1:]))),
		}
		if err := m.read(b[16:]); err != nil {
			return nil, err
		}
		ms = append(ms, m)
	}
	return ms, nil
}

const fixedSize = 8 + 8 + 16 // of what is known of whoever it is

func (s *person) row() projections.Row {
	parts := [...][]byte{
		[]byte(s.Source), s.answers.pack(), packMembers(s.members), packHolds(s.Holds),
		s.Email.Sealed(), s.Name.Sealed(), s.Attributes.Sealed(),
	}
	size := fixedSize
	for _, part := range parts {
		size += 4 + len(part)
	}
	b := binary.BigEndian.AppendUint64(make([]byte, 0, size), uint64(projections.Micros(s.AddedAt)))
	b = append(binary.BigEndian.AppendUint64(b, uint64(s.changed)), s.SealedBy[:]...)
	for _, part := range parts {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(part))), part...)
	}
	return projections.Row{s.Account[:], s.ID[:], b}
}

// read may be called for one row after the other: what it read before is gone then.
func (s *person) read(r projections.Row) (err error) {
	b := r.Bytes(2)
	if len(b) < fixedSize {
		return errPacked
	}
	s.exists, s.Account, s.ID = true, r.ID(0), r.ID(1)
	s.AddedAt = projections.Time(int64(binary.BigEndian.Uint64(b)))
	s.changed = event.Position(binary.BigEndian.Uint64(b[8:]))
	s.SealedBy = domain.ID(b[16:fixedSize])
	var source, answers, members, holds []byte
	b = b[fixedSize:]
	for _, part := range [...]*[]byte{&source, &answers, &members, &holds} {
		if *part, b, err = cut(b); err != nil {
			return err
		}
	}
	if err := s.answers.read(answers); err != nil {
		return err
	}
	if s.members, err = readMembers(s.members[:0], members); err != nil {
		return err
	}
	if s.Holds, err = readHolds(s.Holds[:0], holds); err != nil {
		return err
	}
	s.Source = subscriber.Source(source)
	var email, name, attributes string
	sealed := string(b) // in one piece
	for _, part := range [...]*string{&email, &name, &attributes} {
		if *part, sealed, err = cut(sealed); err != nil {
			return err
		}
	}
	s.Email, s.Name, s.Attributes = personal.SealedText(email), personal.SealedText(name), personal.SealedFields(attributes)
	return nil
}

// cut takes the part off that b begins with, after its length.
func cut[B []byte | string](b B) (part, rest B, err error) {
	if len(b) < 4 {
		return part, b, errPacked
	}
	n := int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	if len(b)-4 < n {
		return part, b, errPacked
	}
	return b[4 : 4+n], b[4+n:], nil
}

func (l *List) row() projections.Row {
	c := l.Counts
	return projections.Row{
		l.Account[:], l.ID[:], l.Name, projections.Flag(l.DoubleOptIn), projections.Flag(l.Archived), projections.Micros(l.CreatedAt),
		int64(c.Members), int64(c.Mailable), int64(c.Unconfirmed), int64(c.Revoked), int64(c.Silent),
		int64(c.Suppressed), int64(c.Objected), int64(c.Restricted),
	}
}

func readList(r projections.Row) List {
	return List{
		Account: r.ID(0), ID: r.ID(1), Name: r.Text(2), DoubleOptIn: r.Bool(3), Archived: r.Bool(4), CreatedAt: r.Time(5),
		Counts: Counts{
			Members: r.Int(6), Mailable: r.Int(7), Unconfirmed: r.Int(8), Revoked: r.Int(9), Silent: r.Int(10),
			Suppressed: r.Int(11), Objected: r.Int(12), Restricted: r.Int(13),
		},
	}
}
