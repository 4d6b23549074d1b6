package engine

import (
	"context"
	"time"

	"github.com/cleversender/cleversender/adapters/pacing"
	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/adapters/recipient"
	"github.com/cleversender/cleversender/adapters/relay"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
	"github.com/cleversender/cleversender/projections/audience"
)

// Adapters do not know each other; what one asks for and another has meets here.

// oneByOne is the keyring's directory, as the API asks for it.
type oneByOne struct{ Keyring }

// Reserve implements api.Directory.
func (d oneByOne) Reserve(ctx context.Context, account domain.ID, address string) (person domain.ID, suppressed bool, err error) {
	found, err := d.Keyring.Reserve(ctx, account, []string{address})
	if err != nil {
		return domain.ID{}, false, err
	}
	return found[0].Person, found[0].Suppressed, nil
}

// permissions is the audience, as the sending worker and the recipients' pages ask for it.
type permissions struct{ *readmodel.Host }

func (p permissions) reader() projections.Reader { return p.Reader(audience.Projection.Name) }

// WaitFor implements sending.Audience.
func (p permissions) WaitFor(ctx context.Context, at event.Position) error {
	return p.Host.WaitFor(ctx, audience.Projection.Name, at)
}

// Edition implements sending.Audience.
func (p permissions) Edition() uint64 { return p.Host.Edition(audience.Projection.Name) }

// Members implements sending.Audience.
func (p permissions) Members(ctx context.Context, account domain.ID, lists []domain.ID, after domain.ID, limit int) ([]domain.ID, error) {
	return audience.MemberIDs(ctx, p.reader(), account, lists, after, limit)
}

// Permissions implements sending.Audience.
func (p permissions) Permissions(ctx context.Context, account domain.ID, lists, people []domain.ID) ([]audience.Permission, error) {
	return audience.Permissions(ctx, p.reader(), account, lists, people)
}

// tracked is what recipients allow, as their pages ask for it.
type tracked struct {
	permissions
	retractions *audience.Retractions
}

func (t tracked) allowed(ctx context.Context, who []recipient.Who) ([]recipient.Permission, error) {
	asked := make([]audience.Mailed, len(who))
	for i, w := range who {
		asked[i] = audience.Mailed{Who: audience.Who{Account: w.Account, Person: w.Person}, After: w.Mailed}
	}
	asOf := t.Reached(audience.Projection.Name) // before what is read
	found, err := t.retractions.TrackingOf(ctx, t.reader(), asOf, asked)
	out := make([]recipient.Permission, len(found))
	for i, t := range found {
		out[i] = recipient.Permission(t)
	}
	return out, err
}

func (p permissions) listName(ctx context.Context, account, list domain.ID) (string, error) {
	l, _, err := audience.FindList(ctx, p.reader(), account, list)
	return l.Name, err
}

// transport is the mail servers, as the sending worker asks for them.
type transport struct{ *relay.Relay }

// Send implements sending.Transport.
func (t transport) Send(ctx context.Context, m sending.Message) delivery.Reply {
	return t.Relay.Send(ctx, relay.Letter(m))
}

// limits are the pacer's and the mail servers', as the sending worker asks for them.
type limits struct {
	pacer   *pacing.Pacer
	servers *relay.Relay
}

// Open implements sending.Limits.
func (l limits) Open(t sending.Turn, now time.Time) (n int, again time.Time) {
	n, again = l.pacer.Open(pacing.Turn(t), now)
	most, later := l.servers.Open(t.Settings.FromEmail, t.Settings.Server, now)
	if most == 0 && later.After(again) {
		again = later
	}
	return min(n, most), again
}

// Admit implements sending.Limits.
func (l limits) Admit(t sending.Turn, now time.Time) (again time.Time, ok bool) {
	if again, ok = l.servers.Admit(t.Settings.FromEmail, t.Settings.Server, now); !ok {
		return again, false
	}
	if again, ok = l.pacer.Admit(pacing.Turn(t), now); !ok {
		l.servers.GiveBack(t.Settings.FromEmail, t.Settings.Server)
	}
	return again, ok
}

// Heard implements sending.Limits.
func (l limits) Heard(t sending.Turn, r delivery.Reply, tried bool, now time.Time) (stop string) {
	if !tried {
		l.servers.GiveBack(t.Settings.FromEmail, t.Settings.Server)
	}
	return l.pacer.Heard(pacing.Turn(t), r, tried, now)
}
