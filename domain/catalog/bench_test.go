package catalog

import (
	"testing"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

func BenchmarkDecode(b *testing.B) {
	for name, e := range map[string]any{
		"subscriber.added": subscriber.Added{
			Email: personal.SealedText(make([]byte, 60)), Name: personal.SealedText(make([]byte, 40)),
			Attributes: personal.SealedFields(make([]byte, 120)), Import: domain.ID{1}, Row: 7,
		},
		"consent.asserted": consent.Asserted{Purposes: consent.Purposes[:3], List: domain.ID{1}, Import: domain.ID{2}, Row: 7},
		"send.withheld":    delivery.Withheld{Person: domain.ID{1}, Campaign: domain.ID{2}, Ordinal: 70_000, Reason: delivery.Revoked},
		"sends.accepted":   delivery.Accepted{Campaign: domain.ID{2}, Subjects: make(delivery.Subjects, 200), Ordinals: make([]int, 200), Code: 250},
	} {
		_, version, data, err := All.Encode(e)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := All.Decode(name, version, data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
