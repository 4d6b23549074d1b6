// Package demo is the main job on bundled data, for real: from a CSV of 2,000
// recipients to one who is erased, over HTTP and SMTP, and checked at each step.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/cleversender/cleversender/adapters/smtp/catcher"
	"github.com/cleversender/cleversender/cmd/cleversender/client"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/domain/delivery"
)

// Options say how to show the demo.
type Options struct {
	Exit   bool      // end after the story; else serve until ctx ends
	Listen string    // address of the server
	Story  io.Writer // what happens, for people
	Logger *slog.Logger
	Stores engine.Stores // empty ones
}

// Summary is what happened, in numbers.
type Summary struct {
	Imported       int                     `json:"imported"`
	RejectedRows   int                     `json:"rejected_rows"`
	Sent           int                     `json:"sent"`
	Withheld       map[delivery.Reason]int `json:"withheld"`
	OpenedUnique   int                     `json:"opened_unique"`
	ClickedUnique  int                     `json:"clicked_unique"`
	Unsubscribed   int                     `json:"unsubscribed"`
	Erased         int                     `json:"erased"`
	Events         int                     `json:"events"`
	RebuildEqual   bool                    `json:"rebuild_equal"`
	PlaintextAfter int                     `json:"plaintext_hits_after_erasure"`
}

// demo is one run of it.
type demo struct {
	Options
	Summary
	engine  *engine.Engine
	api     *client.Client
	catcher *catcher.Catcher
	url     string
	dir     string
}

// mailbox is how many messages can be looked at afterwards; all of them.
const mailbox = 10_000

// Run tells the story. An error is the first thing that did not hold. done, if
// given, gets the summary before the server goes on serving.
func Run(ctx context.Context, o Options, done func(Summary) error) (err error) {
	d := &demo{Options: o}
	if d.dir, err = os.MkdirTemp("", "cleversender-demo-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(d.dir)) }()
	if d.catcher, err = catcher.Listen(catcher.Options{Keep: mailbox}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.catcher.Close()) }()

	serving, stop := context.WithCancel(ctx)
	defer stop()
	ended, token, err := d.serve(serving)
	if err != nil {
		return err
	}
	if err = d.story(ctx); err == nil {
		err = done(d.Summary)
	}
	if err == nil && !o.Exit {
		d.tell("Dashboard   %s/   token %s", d.url, token)
		d.tell("Mailbox     %s/mailbox", d.url)
		d.tell("API         %s/api/v1/openapi.json", d.url)
		d.tell("Ctrl-C ends it; everything is in memory or in %s, which is removed.", d.dir)
		select {
		case <-ctx.Done():
		case err = <-ended:
			return err
		}
	}
	stop()
	return errors.Join(err, <-ended)
}

// serve makes a folder and serves it, as cleversender init and serve do.
func (d *demo) serve(ctx context.Context) (ended chan error, token string, err error) {
	ln, err := net.Listen("tcp", d.Listen)
	if err != nil {
		return nil, "", fmt.Errorf("listen: %w", err)
	}
	d.url = "http://" + ln.Addr().String()
	o := engine.Options{Dir: d.dir + "/data", BaseURL: d.url, SMTP: []string{d.catcher.URL()}, Logger: d.Logger, Stores: d.Stores}
	if _, token, err = engine.Init(ctx, o, "Meadow Books"); err != nil {
		return nil, "", err
	}
	if d.engine, err = engine.Open(ctx, o); err != nil {
		return nil, "", err
	}
	if d.api, err = client.Dial(d.url, token); err != nil {
		return nil, "", err
	}
	ended = make(chan error, 1)
	go func() { ended <- d.engine.Serve(ctx, ln, engine.Web{Dashboard: true, Mailbox: d.catcher}) }()
	return ended, token, nil
}

// tell says what happens.
func (d *demo) tell(format string, args ...any) { fmt.Fprintf(d.Story, format+"\n", args...) }

// step tells how a step went and how long it took.
func (d *demo) step(name string, do func() (string, error)) error {
	start := time.Now()
	said, err := do()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	d.tell("%-10s  %s  (%.1f s)", name, said, time.Since(start).Seconds())
	return nil
}
