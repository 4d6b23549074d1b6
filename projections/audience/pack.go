package audience

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections"
)

// Columns consents and lists are packed, numbers big-endian:
//
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

var errPacked = errors.New("audience: a packed column of another length")

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

func readMembers(b []byte) ([]member, error) {
	if len(b)%memberSize != 0 {
		return nil, errPacked
	}
	ms := make([]member, len(b)/memberSize)
	for i := range ms {
		m, b := &ms[i], b[i*memberSize:]
		m.list = domain.ID(b[:16])
		if err := m.read(b[16:]); err != nil {
			return nil, err
		}
		m.joined = b[16+answerSize] != 0
		m.since = time.UnixMicro(int64(binary.BigEndian.Uint64(b[16+answerSize+1:]))).UTC()
	}
	return ms, nil
}

func (s *person) row() projections.Row {
	return projections.Row{
		s.Account[:], s.ID[:], projections.Micros(s.AddedAt), string(s.Source),
		s.Email.Sealed(), s.Name.Sealed(), s.Attributes.Sealed(), s.SealedBy[:],
		s.answers.pack(), packMembers(s.members), packHolds(s.Holds),
	}
}

func (s *person) read(r projections.Row) (err error) {
	s.exists = true
	s.Account, s.ID, s.AddedAt, s.Source = r.ID(0), r.ID(1), r.Time(2), subscriber.Source(r.Text(3))
	s.Email, s.Name = personal.SealedText(r.Bytes(4)), personal.SealedText(r.Bytes(5))
	s.Attributes, s.SealedBy = personal.SealedFields(r.Bytes(6)), r.ID(7)
	if err := s.answers.read(r.Bytes(8)); err != nil {
		return err
	}
	if s.members, err = readMembers(r.Bytes(9)); err != nil {
		return err
	}
	s.Holds, err = readHolds(r.Bytes(10))
	return err
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
