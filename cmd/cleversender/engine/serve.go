package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/adapters/fastlane"
	"github.com/cleversender/cleversender/projections/tokens"
)

// StopTime is how long requests and messages under way may take at the end.
const StopTime = 20 * time.Second

// Server answers what the engine answers over HTTP; opens and clicks, which come
// by the thousand a second, on a lane of their own. Ask once, for it or for Handler.
func (e *Engine) Server(web Web) *fastlane.Server {
	all, hits := e.handlers(web)
	return fastlane.New(&http.Server{
		Handler:           all,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(e.options.Logger.Handler(), slog.LevelWarn),
	}, hits)
}

// Serve answers on ln until ctx ends, then stops gracefully: requests under way
// are answered, messages under way are finished and recorded. It closes the engine.
func (e *Engine) Serve(ctx context.Context, ln net.Listener, web Web) error {
	server := e.Server(web)
	if err := e.Folder.Announce(ln.Addr().String()); err != nil {
		return errors.Join(err, e.Close(ctx))
	}
	// Whoever has a token is known from the first request on.
	head, err := e.Journal.Head(ctx)
	if err == nil {
		err = e.Models.WaitFor(ctx, tokens.Projection.Name, head)
	}
	if err != nil {
		return errors.Join(err, e.Close(context.WithoutCancel(ctx)))
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(ln) }()
	select {
	case err = <-failed:
		err = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), StopTime)
	defer cancel()
	if stop := server.Shutdown(end); stop != nil {
		_ = server.Close() // who has not finished by now is cut off
	}
	return errors.Join(err, e.Close(end))
}
