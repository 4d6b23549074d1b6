package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"

	"github.com/cleversender/cleversender/cmd/cleversender/engine"
)

type serveVerb struct {
	Listen         string         `help:"Address to serve on." default:"127.0.0.1:8080"`
	BaseURL        string         `help:"Where recipients reach this server, such as https://mail.example.org. Without it, the address served on." env:"CLEVERSENDER_BASE_URL" name:"base-url"`
	TrustedProxies []netip.Prefix `help:"Networks whose X-Forwarded-For is believed."`
	Roles          []engine.Role  `help:"What this node does: ${roles}. Without it, everything." enum:"${roles}" placeholder:"ROLE,…"`
	deliveryFlags
	bounceFlags
}

// Run serves until the process is asked to stop.
func (v serveVerb) Run(s *session) error {
	ln, err := net.Listen("tcp", v.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	o := s.options(v.SMTP)
	v.deliveryFlags.apply(&o)
	v.bounceFlags.apply(&o)
	o.TrustedProxies, o.Roles = v.TrustedProxies, v.Roles
	if o.BaseURL = strings.TrimSuffix(v.BaseURL, "/"); o.BaseURL == "" {
		o.BaseURL = "http://" + ln.Addr().String()
	}
	o.Logger = s.logger(slog.LevelInfo)
	e, err := engine.Open(s.ctx, o)
	if err != nil {
		_ = ln.Close()
		return err
	}
	o.Logger.Info("serving", "address", "http://"+ln.Addr().String(), "data", o.Dir, "sends", len(o.SMTP) > 0)
	if err := e.Serve(s.ctx, ln, engine.Web{Dashboard: true}); err != nil {
		return err
	}
	o.Logger.Info("stopped")
	return nil
}

// logger writes to standard error: lines for people, or JSON with --json.
func (s *session) logger(level slog.Level) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if s.globals.JSON {
		return slog.New(slog.NewJSONHandler(s.err, o))
	}
	return slog.New(slog.NewTextHandler(s.err, o))
}
