package api

import (
	"context"
	"reflect"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

var errKeyReused = domain.Refuse("idempotency_key_reused", "the idempotency key was used for another request")

// once is the log for a request that may have been sent before. What it did
// then it does not do again, even if something else has undone it meanwhile.
type once struct {
	commands.Log
	request domain.ID
	earlier []event.Recorded // what the request did to the stream loaded last
}

// Load implements commands.Log.
func (o *once) Load(ctx context.Context, stream string) ([]event.Recorded, error) {
	past, err := o.Log.Load(ctx, stream)
	o.earlier = nil
	for _, e := range past {
		if e.Meta.Causation == o.request {
			o.earlier = append(o.earlier, e)
		}
	}
	return past, err
}

// Record implements commands.Log.
func (o *once) Record(ctx context.Context, stream string, expect uint64, drafts []event.Draft) (event.Position, error) {
	if len(o.earlier) == 0 {
		return o.Log.Record(ctx, stream, expect, drafts)
	}
	for _, d := range drafts {
		if !o.did(d) {
			return 0, errKeyReused
		}
	}
	return o.earlier[len(o.earlier)-1].Position, nil
}

func (o *once) did(d event.Draft) bool {
	for _, e := range o.earlier {
		if reflect.DeepEqual(e.Data, d.Data) {
			return true
		}
	}
	return false
}
