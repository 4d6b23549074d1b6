package esdbtest

import (
	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/google/uuid"
)

func newID() *shared.UUID {
	most, least := esdb.UUIDAsInt64(uuid.New())
	return &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{MostSignificantBits: most, LeastSignificantBits: least}}}
}

// parsed is an id in either of its forms.
func parsed(id *shared.UUID) uuid.UUID {
	if s := id.GetStructured(); s != nil {
		u, _ := esdb.ParseUUIDFromInt64(s.MostSignificantBits, s.LeastSignificantBits)
		return u
	}
	u, _ := uuid.Parse(id.GetString_())
	return u
}

func same(a, b *shared.UUID) bool { return parsed(a) == parsed(b) }
