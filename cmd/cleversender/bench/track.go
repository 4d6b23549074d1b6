package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/recipient"
	"github.com/cleversender/cleversender/adapters/tracking"
	"github.com/cleversender/cleversender/cmd/cleversender/client"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
)

const connections = 32

// aftermath is how long what the import and the campaign have left to do takes:
// the keyring merges addresses and checkpoints when it has been quiet for a while.
const aftermath = 2 * time.Second

// benchTrack sends a campaign to Size recipients, and has each open their
// message, or one in four click in it, in random order, by real HTTP over loopback
// from 32 connections; each hit is durable, with IP and client sealed, before its
// reply. The client's work is in the figures too: it is the same process.
func benchTrack(ctx context.Context, b *bench) (reports []Report, err error) {
	if _, err := b.people(ctx); err != nil {
		return nil, err
	}
	to := mailServer{}
	if to.sink, err = startPart(ctx, "sink"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, to.sink.end()) }()
	if _, err := to.took(); err != nil {
		return nil, err
	}
	if err := b.reopen(ctx, to.url); err != nil {
		return nil, err
	}
	address, stop, err := b.listen()
	if err != nil {
		return nil, err
	}
	defer stop()
	if b.api, err = client.Dial("http://"+address, b.token); err != nil {
		return nil, err
	}
	mailed, err := b.mailed(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.engine.Settled(ctx); err != nil {
		return nil, err
	}
	time.Sleep(aftermath)
	hits := b.hits(mailed)
	before, err := b.engine.Journal.Head(ctx)
	if err != nil {
		return nil, err
	}
	commits, err := b.commits()
	if err != nil {
		return nil, err
	}
	m, err := b.meter()
	if err != nil {
		return nil, err
	}
	took, err := hammer(address, connections, hits)
	if err != nil {
		return nil, err
	}
	r := m.report("track", len(took))
	events, err := eventlog.Count(ctx, b.engine.Log, before, nil)
	if err != nil {
		return nil, err
	}
	if events != len(took) {
		return nil, fmt.Errorf("%d hits, %d events", len(took), events)
	}
	after, err := b.commits()
	if err != nil {
		return nil, err
	}
	if err := b.engine.Settled(ctx); err != nil {
		return nil, err
	}
	projected := m.report("track+projections", len(took))
	pprof.StopCPUProfile() // what follows is not ours
	plain, err := openPlainHits(ctx, b.Dir)
	if err != nil {
		return nil, err
	}
	limit, inserts, err := plain.measure(ctx)
	if err := errors.Join(err, plain.close()); err != nil {
		return nil, err
	}
	slices.Sort(took)
	r.Extra = map[string]any{
		"plain_inserts_per_second": round(inserts), // without HTTP
		"connections":              connections, "campaigns": max(1, b.Campaigns),
		"hits_per_commit": round(float64(len(took)) / float64(after-commits)),
		"p50_ms":          ms(took[len(took)/2]), "p99_ms": ms(took[len(took)*99/100]), "max_ms": ms(took[len(took)-1]),
	}
	r.Against(limit)
	projected.Against(limit)
	return []Report{r, projected}, nil
}

// commits is how many transactions the log has written.
func (b *bench) commits() (uint64, error) {
	families, err := b.engine.Metrics.Gather()
	for _, f := range families {
		if f.GetName() == "cleversender_commit_seconds" {
			return f.GetMetric()[0].GetHistogram().GetSampleCount(), nil
		}
	}
	return 0, errors.Join(err, errors.New("the log counts no transactions"))
}

// addressee is somebody to whom a message of a campaign went.
type addressee struct {
	campaign, person domain.ID
	ordinal          int
}

// mailed sends campaigns to Size people, and says who got a message; of several
// campaigns, of each an equal share.
func (b *bench) mailed(ctx context.Context) (all []addressee, err error) {
	for i := range max(1, b.Campaigns) {
		id, err := b.draftLetter(ctx, "example.org")
		if err != nil {
			return nil, err
		}
		if err := b.api.Call(ctx, http.MethodPost, "/campaigns/"+id.String()+"/start", nil, nil); err != nil {
			return nil, err
		}
		run, err := b.finished(ctx, id)
		if err != nil {
			return nil, err
		}
		if run.Sent != b.Size {
			return nil, fmt.Errorf("%d people, %+v", b.Size, run.Finished)
		}
		if all, err = b.addressees(ctx, all, id, i); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// addressees adds those of a campaign, the which-th.
func (b *bench) addressees(ctx context.Context, all []addressee, id domain.ID, which int) ([]addressee, error) {
	head, err := b.engine.Journal.Head(ctx)
	if err != nil {
		return nil, err
	}
	for page, err := range b.engine.Journal.Follow(ctx, 0, []string{"segment.planned"}, 100) {
		if err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			if planned := e.Data.(delivery.Planned); planned.Campaign == id {
				for i, person := range planned.Subjects {
					if ordinal := planned.First + i; ordinal%max(1, b.Campaigns) == which {
						all = append(all, addressee{id, person, ordinal})
					}
				}
			}
		}
		if page.Next >= head {
			return all, nil
		}
	}
	return nil, ctx.Err()
}

// hits is one of everybody, in random order.
func (b *bench) hits(mailed []addressee) *barrage {
	all := &barrage{fields: "Host: 127.0.0.1\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0\r\n" +
		"Accept: image/avif,image/webp,*/*\r\nAccept-Language: en-GB,en;q=0.5\r\nAccept-Encoding: gzip\r\n\r\n"}
	for i, to := range mailed {
		t := tracking.Token{
			Kind: tracking.Open, Campaign: to.campaign, Ordinal: to.ordinal, Person: to.person, Account: b.account, Link: i % links,
		}
		path, suffix, status := recipient.PixelPath, recipient.PixelSuffix, uint16(http.StatusOK)
		if i%4 == 3 {
			t.Kind, path, suffix, status = tracking.Click, recipient.LinkPath, "", http.StatusFound
		}
		all.add(status, path, b.engine.Signer.Mint(t), suffix)
	}
	dice := rand.New(rand.NewPCG(7, uint64(len(all.requests))))
	dice.Shuffle(len(all.requests), func(i, k int) { all.requests[i], all.requests[k] = all.requests[k], all.requests[i] })
	return all
}

// listen serves the engine on loopback.
func (b *bench) listen() (address string, stop func(), err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := b.engine.Server(engine.Web{})
	go func() { _ = server.Serve(ln) }() // ends with Close
	return ln.Addr().String(), func() { _ = server.Close() }, nil
}
