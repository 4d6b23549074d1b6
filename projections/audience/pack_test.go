package audience

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

var aPerson = rapid.Custom(func(t *rapid.T) *person {
	id := rapid.Custom(func(t *rapid.T) domain.ID { return domain.ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")) })
	at := rapid.Custom(func(t *rapid.T) time.Time { return time.UnixMicro(rapid.Int64Range(1, 1<<50).Draw(t, "at")).UTC() })
	sealed := rapid.SliceOfN(rapid.Byte(), 0, 300)
	given := rapid.Custom(func(t *rapid.T) answer {
		return answer{
			consent.State{Status: rapid.SampledFrom(statuses).Draw(t, "status"), Asked: rapid.Bool().Draw(t, "asked")},
			event.Position(rapid.IntRange(0, 1<<40).Draw(t, "position")),
		}
	})
	s := &person{Person: Person{
		Account: id.Draw(t, "account"), ID: id.Draw(t, "person"), SealedBy: id.Draw(t, "sealed by"), AddedAt: at.Draw(t, "added"),
		Source: rapid.SampledFrom([]subscriber.Source{"", subscriber.SourceImport}).Draw(t, "source"),
		Email:  personal.SealedText(sealed.Draw(t, "email")), Name: personal.SealedText(sealed.Draw(t, "name")),
		Attributes: personal.SealedFields(sealed.Draw(t, "attributes")),
	}}
	if rapid.Bool().Draw(t, "answered") {
		s.answers = answers(rapid.SliceOfN(given, len(s.answers), len(s.answers)).Draw(t, "answers"))
	}
	for range rapid.IntRange(0, 3).Draw(t, "lists") {
		s.members = append(s.members, member{
			answer: given.Draw(t, "mailing"), list: id.Draw(t, "list"), joined: rapid.Bool().Draw(t, "joined"), since: at.Draw(t, "since"),
		})
	}
	for range rapid.IntRange(0, 2).Draw(t, "holds") {
		s.Holds = append(s.Holds, Held{rapid.SampledFrom(holds).Draw(t, "hold"), 7, at.Draw(t, "held")})
	}
	return s
})

// What is known of a person is read as it was written, and nothing stays of
// whoever was read before.
func TestAPersonIsReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var read person
		for _, s := range rapid.SliceOfN(aPerson, 1, 3).Draw(t, "people") {
			if err := read.read(s.row()); err != nil {
				t.Fatal(err)
			}
			s.exists = true
			if diff := cmp.Diff(s, &read, cmp.AllowUnexported(person{}, answer{}, member{}), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("-written +read\n%s", diff)
			}
		}
	})
}

// A row that was cut short, or is of another form, is refused.
func TestATornRowIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := aPerson.Draw(t, "person").row()
		whole := row.Bytes(2)
		row[2] = whole[:rapid.IntRange(0, len(whole)-1).Draw(t, "kept")]
		var read person
		if err := read.read(row); !errors.Is(err, errPacked) {
			t.Fatal(err)
		}
	})
}
