// Package engine wires the product: a data folder in, everything that runs on
// it out. Adapters meet here and nowhere else.
package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/cleversender/cleversender/adapters/address"
	"github.com/cleversender/cleversender/adapters/bounce/record"
	"github.com/cleversender/cleversender/adapters/bus"
	"github.com/cleversender/cleversender/adapters/csvimport"
	"github.com/cleversender/cleversender/adapters/desk"
	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/folder"
	"github.com/cleversender/cleversender/adapters/pacing"
	"github.com/cleversender/cleversender/adapters/preflight"
	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/adapters/relay"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/adapters/sending/outbox"
	"github.com/cleversender/cleversender/adapters/tracking"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/event"
	readmodels "github.com/cleversender/cleversender/projections/catalog"
	"github.com/cleversender/cleversender/projections/tokens"
)

// Options say what to open and how.
type Options struct {
	Dir     string // the data folder
	RootKey string // URI; "": the file root.key in the folder
	Stores
	BaseURL        string         // where recipients reach this server, without a slash at the end
	SMTP           []string       // URLs of the servers that take our mail; none: nothing is sent
	Limits         pacing.Options // of what is sent
	BounceDomain   string         // host of the return paths, each of one message; "": bounces go to the sender's address
	NoDNS          bool           // preflight asks no DNS
	Bounces        Bounces
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	Logger         *slog.Logger
	Roles          []Role          // what this node does; none: everything
	Idle           bool            // open, and start no worker
	Sending        sending.Options // only the numbers; zero values are the defaults
}

// Engine is an open data folder.
type Engine struct {
	Folder   *folder.Folder
	Log      eventlog.Log
	Journal  *eventlog.Journal
	Keys     Keyring
	Models   *readmodel.Host
	Desk     *desk.Desk
	Importer *csvimport.Importer
	Signer   *tracking.Signer
	Metrics  *prometheus.Registry

	options  Options
	models   readmodel.Store
	composer *composer
	checker  *preflight.Checker
	relay    *relay.Relay    // nil: no SMTP server named
	pacer    *pacing.Pacer   // likewise
	sender   *sending.Sender // likewise
	outbox   *outbox.Outbox  // likewise
	bounces  *record.Recorder
	mailbox  func(context.Context) // visits the mailbox for bounces; nil: there is none
	hooks    map[string]http.Handler
	closers  []func() error
	stops    []func() error // what Handler started: ended before the workers

	local   tokens.Token // of this process alone; zero when none was asked for
	stop    context.CancelFunc
	workers sync.WaitGroup
	mu      sync.Mutex
	fault   error // of the first worker that could not go on
}

// NewID is random; later ones sort later.
func NewID() domain.ID { return domain.ID(uuid.Must(uuid.NewV7())) }

func (o Options) rootKey() string {
	if o.RootKey != "" {
		return o.RootKey
	}
	return "file://" + o.Dir + "/root.key"
}

// ErrNoFolder: init has not been run on the folder.
var ErrNoFolder = domain.Refuse("folder_not_initialised", "the data folder does not exist yet; make it with cleversender init")

// Open opens a data folder that Init has made, and starts the projections and
// the privacy desk; with an SMTP server the sending worker too. A folder that
// another process holds is refused.
func Open(ctx context.Context, o Options) (*Engine, error) {
	o, err := o.withPasswords()
	if err != nil {
		return nil, err
	}
	if _, own := o.localModels(); own && !o.has(RoleProjections) {
		return nil, ErrNobodyFolds
	}
	if !o.made() {
		return nil, ErrNoFolder
	}
	e, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	if head, err := e.Journal.Head(ctx); err != nil || head == 0 {
		return nil, errors.Join(cmp.Or(err, ErrNoFolder), e.close())
	}
	if !o.Idle {
		e.start()
	}
	return e, nil
}

// open is Open without the workers.
func open(ctx context.Context, o Options) (*Engine, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	e := &Engine{options: o, Metrics: prometheus.NewRegistry()}
	if err := e.assemble(ctx); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// assemble opens the stores and puts everything on top of them.
func (e *Engine) assemble(ctx context.Context) error {
	o := e.options
	if err := e.openStores(ctx); err != nil {
		return err
	}
	secret, err := e.Keys.MACKey(ctx, "tracking")
	if err != nil {
		return fmt.Errorf("tracking key: %w", err)
	}
	if e.Signer, err = tracking.NewSigner(map[byte][]byte{1: secret}, 1); err != nil {
		return err
	}
	e.Importer = &csvimport.Importer{
		Log: e.Journal, Directory: csvimport.DirectoryFunc(e.Keys.Reserve), Address: address.Forms, Now: time.Now,
	}
	if e.composer, err = e.newComposer(); err != nil {
		return err
	}
	e.checker = e.newChecker()
	e.Desk = e.newDesk()
	if err := e.openBounces(ctx); err != nil {
		return err
	}
	if len(o.SMTP) > 0 && o.has(RoleSender) {
		if err := e.openSender(o); err != nil {
			return err
		}
	}
	e.Metrics.MustRegister(health{e}, e.Models.Collector(), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return nil
}

func (e *Engine) openStores(ctx context.Context) (err error) {
	o := e.options
	if e.Folder, err = folder.Open(o.Dir); err != nil {
		return err
	}
	e.closers = append(e.closers, e.Folder.Close)
	if e.Keys, err = e.openKeys(ctx); err != nil {
		return err
	}
	e.closers = append(e.closers, e.Keys.Close)
	if e.Log, err = e.openLog(ctx); err != nil {
		return err
	}
	e.closers = append(e.closers, e.Log.Close)
	e.Journal = eventlog.NewJournal(e.Log, catalog.All, e.Keys, time.Now)
	if e.models, err = e.openModels(ctx); err != nil {
		return err
	}
	e.Models, err = readmodel.NewHost(ctx, readmodel.Options{
		Source: e.Journal, Store: e.models, Projections: readmodels.All, ReadOnly: !o.has(RoleProjections), Logger: o.Logger,
		Subscriber: func(follow func(context.Context, string) iter.Seq2[eventlog.RecordedPage, error]) message.Subscriber {
			return bus.NewLogSubscriber(follow)
		},
	})
	if err != nil {
		return err
	}
	e.closers = append(e.closers, e.Models.Close)
	return nil
}

// start runs the workers until Close.
func (e *Engine) start() {
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	e.work(ctx, "projections", e.Models.Run)
	if e.options.has(RoleProjections) {
		e.work(ctx, "privacy desk", e.Desk.Run)
	}
	if e.options.has(RoleSender) {
		e.work(ctx, "bounces", e.bounces.Run)
		if e.mailbox != nil {
			e.workers.Go(func() { e.mailbox(ctx) })
		}
	}
	if e.sender != nil {
		e.work(ctx, "sending", e.send)
		e.work(ctx, "outbox", e.outbox.Run)
	}
}

func (e *Engine) work(ctx context.Context, name string, run func(context.Context) error) {
	e.workers.Go(func() {
		err := run(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		e.options.Logger.Error("worker stopped", "worker", name, "code", stopCode(err), "error", err)
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.fault == nil {
			e.fault = fmt.Errorf("%s: %w", name, err)
		}
	})
}

// Ready says why the engine does not do its whole job; nil: it does.
func (e *Engine) Ready() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return cmp.Or(e.fault, e.Models.Stopped())
}

// Settled waits until every projection has taken in the whole log as it is now.
func (e *Engine) Settled(ctx context.Context) error {
	head, err := e.Journal.Head(ctx)
	if err != nil {
		return err
	}
	return e.Models.WaitAll(ctx, head)
}

// Position is the head of the log.
func (e *Engine) Position(ctx context.Context) (event.Position, error) { return e.Journal.Head(ctx) }

// Close ends the work in order: messages under way are finished and recorded,
// as long as ctx lasts; then the projections store where they are.
func (e *Engine) Close(ctx context.Context) error {
	var err error
	if e.sender != nil {
		err = errors.Join(e.sender.Stop(ctx), e.outbox.Stop(ctx))
	}
	for _, stop := range e.stops {
		err = errors.Join(err, stop())
	}
	if e.stop != nil {
		e.stop()
	}
	e.workers.Wait()
	return errors.Join(err, e.close())
}

func (e *Engine) onStop(stop func() error) { e.stops = append(e.stops, stop) }

// close closes what is open, the last opened first.
func (e *Engine) close() error {
	var errs []error
	for i := len(e.closers) - 1; i >= 0; i-- {
		errs = append(errs, e.closers[i]())
	}
	e.closers = nil
	return errors.Join(errs...)
}
