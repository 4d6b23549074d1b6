package eventstoredb

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// envelope is an event's metadata on the server: ids, never personal values.
// The names with $ are those that the server's own tools follow.
type envelope struct {
	Version     int       `json:"version"`
	At          time.Time `json:"at"`
	Account     domain.ID `json:"account,omitzero"`
	Subject     domain.ID `json:"subject,omitzero"`
	Actor       domain.ID `json:"actor,omitzero"`
	Correlation domain.ID `json:"$correlationId,omitzero"`
	Causation   domain.ID `json:"$causationId,omitzero"`
}

// overhead is what an event counts on the server beside data, metadata and type.
const overhead = 32

// encode makes events as the client takes them. size is what the server counts.
func encode(events []event.Stored) (out []esdb.EventData, size int, err error) {
	out = make([]esdb.EventData, len(events))
	for i := range events {
		e := &events[i]
		raw, err := json.Marshal(envelope{e.Version, e.At, e.Meta.Account, e.Meta.Subject, e.Meta.Actor, e.Meta.Correlation, e.Meta.Causation})
		if err != nil {
			return nil, 0, fmt.Errorf("event %s: %w", e.ID, err)
		}
		out[i] = esdb.EventData{EventID: uuid.UUID(e.ID), EventType: e.Type, ContentType: contentType(e.Data), Data: e.Data, Metadata: raw}
		size += len(e.Data) + len(raw) + len(e.Type) + overhead
	}
	return out, size, nil
}

// contentType is what the data may be called: the server shows JSON as such.
func contentType(data []byte) esdb.ContentType {
	if json.Valid(data) {
		return esdb.ContentTypeJson
	}
	return esdb.ContentTypeBinary
}

// decode is the reverse. A position is that of the commit; prepare is the same
// for whatever these servers have written.
func decode(r *esdb.RecordedEvent) (event.Stored, error) {
	e := event.Stored{
		Stream: r.StreamID, Revision: r.EventNumber + 1, Position: event.Position(r.Position.Commit),
		ID: domain.ID(r.EventID), Type: r.EventType, Data: r.Data,
	}
	var m envelope
	if err := json.Unmarshal(r.UserMetadata, &m); err != nil {
		return e, fmt.Errorf("event at %d: its metadata is not ours: %w", e.Position, err)
	}
	e.Version, e.At = m.Version, m.At
	e.Meta = event.Meta{Account: m.Account, Subject: m.Subject, Actor: m.Actor, Correlation: m.Correlation, Causation: m.Causation}
	return e, nil
}
