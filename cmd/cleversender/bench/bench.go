package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/cleversender/cleversender/cmd/cleversender/client"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
)

// Config says what to measure on.
type Config struct {
	Size      int           // people; for append, events
	Campaigns int           // track: how many the hits are spread over; 0: one
	Stores    engine.Stores // empty ones
	Dir       string        // where to put the data; "": a temporary folder that is removed
	Log       io.Writer     // says what goes on; never the figures

	SMTP       string // send: the server that takes the mail, host:port or a URL; "": a sink of our own
	DKIM       bool   // send: what signing every message adds
	CPUProfile string // file for a profile of what is measured; "": none
}

// Benches are the measurements, by name, with what Size counts when none is given.
var Benches = map[string]struct {
	Size int
	run  func(context.Context, *bench) ([]Report, error)
}{
	"import":  {1_000_000, benchImport},
	"append":  {1_000_000, benchAppend},
	"rebuild": {1_000_000, benchRebuild},
	"send":    {100_000, benchSend},
	"track":   {50_000, benchTrack},
	"export":  {1_000_000, benchExport},
	"erase":   {1_000_000, benchErase},
}

// bench is one measurement under way: a fresh folder, an account and a list.
type bench struct {
	Config
	engine  *engine.Engine
	account domain.ID
	token   string
	list    domain.ID
	api     *client.Client // of the engine that sends
}

// Run measures, and gives every line to report as soon as it is there.
func Run(ctx context.Context, name string, c Config, report func(Report) error) (err error) {
	kind, ok := Benches[name]
	if !ok {
		return fmt.Errorf("there is no bench %q", name)
	}
	if c.Size <= 0 {
		c.Size = kind.Size
	}
	c.SMTP = smtpURL(c.SMTP)
	for _, url := range []*string{&c.SMTP, &c.Stores.Log} { // which bare clients use, too
		if *url, err = engine.WithPassword(*url); err != nil {
			return err
		}
	}
	if c.Dir == "" {
		if c.Dir, err = os.MkdirTemp("", "cleversender-bench-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(c.Dir)) }()
	}
	b := &bench{Config: c}
	if err := b.open(ctx); err != nil {
		return err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if b.engine != nil {
			err = errors.Join(err, b.engine.Close(end))
		}
	}()
	reports, err := kind.run(ctx, b)
	pprof.StopCPUProfile()
	for _, r := range reports {
		r.Backend = backend(c.Stores)
		err = errors.Join(err, report(r))
	}
	return err
}

// backend names where things are kept, the log first.
func backend(s engine.Stores) string {
	kind := func(url string) string {
		scheme, _, _ := strings.Cut(cmp.Or(url, "sqlite:"), ":")
		scheme, _, _ = strings.Cut(scheme, "+")
		return strings.TrimSuffix(scheme, "ql")
	}
	log, models := kind(s.Log), kind(s.ReadModels)
	if log == models {
		return log
	}
	return log + "+" + models
}

func (b *bench) say(format string, args ...any) {
	if b.Log != nil {
		fmt.Fprintf(b.Log, format+"\n", args...)
	}
}

func (b *bench) options() engine.Options {
	return engine.Options{Dir: b.Dir + "/data", BaseURL: "https://mail.example.org", Stores: b.Stores}
}

func (b *bench) open(ctx context.Context) (err error) {
	o := b.options()
	if b.account, b.token, err = engine.Init(ctx, o, "Bench"); err != nil {
		return err
	}
	if b.engine, err = engine.Open(ctx, o); err != nil {
		return err
	}
	b.list = engine.NewID()
	return b.command(ctx, func(req commands.Request) error {
		_, err := commands.Handle(ctx, b.engine.Journal, req, commands.CreateList{List: b.list, Name: "Everyone"})
		return err
	})
}

func (b *bench) command(_ context.Context, do func(commands.Request) error) error {
	return do(commands.Request{ID: engine.NewID(), Account: b.account})
}
