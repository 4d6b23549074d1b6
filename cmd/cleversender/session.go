package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/adapters/folder"
	"github.com/cleversender/cleversender/cmd/cleversender/client"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
)

// session is one run of a verb.
type session struct {
	ctx      context.Context
	globals  *Globals
	in       io.Reader
	out, err io.Writer

	verb    string   // the last word of the verb, such as pause
	smtp    []string // servers to send by from this process; none: nothing is sent
	bounces string   // domain that bounces of what this process sends come back to
	base    string   // where recipients reach the server that runs beside it
	api     *client.Client
	engine  *engine.Engine // nil when a server answers
}

// client answers from the server that is named, from the one that holds the
// data folder, or else from the folder itself, in this process.
func (s *session) client() (*client.Client, error) {
	if s.api != nil {
		return s.api, nil
	}
	server, err := s.server()
	if err != nil {
		return nil, err
	}
	if server != "" {
		s.api, err = client.Dial(server, s.globals.Token)
		return s.api, err
	}
	o := s.options(s.smtp)
	o.BounceDomain, o.BaseURL = s.bounces, s.base
	if s.engine, err = engine.Open(s.ctx, o); err != nil {
		return nil, err
	}
	token := s.globals.Token
	if token == "" { // whoever may open the folder may do everything in it
		if token, err = s.engine.LocalToken(s.ctx); err != nil {
			return nil, err
		}
	} else if err := s.engine.Settled(s.ctx); err != nil { // a token issued a moment ago holds
		return nil, err
	}
	s.api = client.Local(s.engine.Handler(engine.Web{}), token)
	return s.api, nil
}

// server is the address to call; "" for none. A token names who asks of a
// running server; without one only the folder can be asked.
func (s *session) server() (string, error) {
	if s.globals.Server != "" {
		return s.globals.Server, nil
	}
	holder, held, err := folder.Find(s.globals.Data)
	if err != nil || !held || holder.Listen == "" {
		return "", err
	}
	return "http://" + holder.Listen, nil
}

func (s *session) options(smtp []string) engine.Options {
	return engine.Options{
		Dir: s.globals.Data, RootKey: s.globals.RootKey, SMTP: smtp, Stores: s.globals.Stores,
		NoDNS: s.globals.DNS == "off", Logger: s.logger(slog.LevelWarn),
	}
}

// sends reports that this process sends mail itself.
func (s *session) sends() bool { return s.engine != nil && len(s.smtp) > 0 }

// get, post and patch call the API; out may be nil.
func (s *session) get(path string, out any) error { return s.call(http.MethodGet, path, nil, out) }

func (s *session) post(path string, in, out any) error {
	if in == nil {
		in = struct{}{}
	}
	return s.call(http.MethodPost, path, in, out)
}

func (s *session) call(method, path string, in, out any) error {
	api, err := s.client()
	if err != nil {
		return err
	}
	return api.Call(s.ctx, method, path, in, out)
}

const closeTime = 30 * time.Second

// close lets the folder go, if it was opened.
func (s *session) close() {
	if s.engine == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), closeTime)
	defer cancel()
	if err := s.engine.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		s.fail(err)
	}
	s.engine = nil
}
