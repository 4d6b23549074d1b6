package desk

import (
	"context"
	"fmt"

	"github.com/cleversender/cleversender/commands"
)

// access makes the bundle and records its digest. The bundle is made again
// when it is fetched, up to the position that the event names.
func (d *Desk) access(ctx context.Context, t Task) error {
	head, err := d.o.Journal.Head(ctx)
	if err != nil {
		return fmt.Errorf("head of the log: %w", err)
	}
	if err := d.o.Models.WaitAll(ctx, head); err != nil {
		return fmt.Errorf("wait for the read models: %w", err)
	}
	bundle, err := d.Bundle(ctx, t.Account, t.Person, head)
	if err != nil {
		return err
	}
	_, err = commands.Handle(ctx, d.o.Journal, t.request("access-fulfilled"), commands.FulfilAccess{
		Request: t.Request, Person: t.Person, Position: head, Events: bundle.Events, SHA256: bundle.SHA256,
	})
	return err
}
