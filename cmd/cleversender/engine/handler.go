package engine

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cleversender/cleversender/adapters/address"
	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/adapters/csvimport"
	"github.com/cleversender/cleversender/adapters/metrics"
	"github.com/cleversender/cleversender/adapters/recipient"
	"github.com/cleversender/cleversender/adapters/smtp/catcher"
	"github.com/cleversender/cleversender/adapters/tracking"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections/audience"
	"github.com/cleversender/cleversender/projections/tokens"
)

// Web says what else to serve beside API, recipients' pages and metrics.
type Web struct {
	Dashboard bool
	Mailbox   *catcher.Catcher // a page shows its messages; nil: there is none
}

// Handler is everything that the engine answers over HTTP. Ask once, for it or for Server.
func (e *Engine) Handler(web Web) http.Handler {
	all, _ := e.handlers(web)
	return all
}

// handlers are everything that the engine answers, and of it once more the hits,
// by pattern.
func (e *Engine) handlers(web Web) (all http.Handler, hits map[string]http.Handler) {
	measured, mux := metrics.HTTP(e.Metrics), http.NewServeMux()
	if e.options.has(RoleAPI) {
		e.serveAPI(mux, web)
	}
	if e.options.has(RoleTracking) {
		hits = e.servePages(mux)
		for pattern, hit := range hits {
			hits[pattern] = measured(hit)
		}
	}
	mux.Handle("GET /metrics", promhttp.HandlerFor(e.Metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { answer(w, e.Ready()) })
	return measured(mux), hits
}

func (e *Engine) serveAPI(mux *http.ServeMux, web Web) {
	server := api.New(e.apiDeps())
	e.onStop(func() error { server.Close(); return nil })
	mux.Handle(api.Prefix+"/", server)
	for path, hook := range e.hooks {
		mux.Handle(path, hook)
	}
	if web.Dashboard {
		mux.Handle("/", e.dashboard(web.Mailbox))
	}
}

func (e *Engine) servePages(mux *http.ServeMux) (hits map[string]http.Handler) {
	pages := recipient.New(e.recipientDeps())
	e.onStop(func() error { pages.Close(); return nil })
	for _, path := range []string{
		recipient.PixelPath, recipient.LinkPath, recipient.UnsubscribePath, recipient.ConfirmPath, recipient.PreferencesPath,
	} {
		mux.Handle(path, pages)
	}
	return pages.Hits()
}

// answer says ok, or 503 and a code: more is in the log.
func answer(w http.ResponseWriter, err error) {
	if err == nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "ok\n")
		return
	}
	p := api.Problem{Title: "not ready", Status: http.StatusServiceUnavailable, Code: stopCode(err)}
	if p.Detail = "this node does only a part of its job: its log says why"; p.Code == event.Outdated {
		p.Detail = "the event log holds what a newer version of the software wrote: upgrade this node"
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// stopCode tells operators why something has stopped.
func stopCode(err error) string {
	if errors.Is(err, event.ErrNewer) {
		return event.Outdated
	}
	return "worker_stopped"
}

func (e *Engine) apiDeps() api.Deps {
	return api.Deps{
		Log: e.Journal, Models: e.Models, Projections: e.projections, Directory: oneByOne{e.Keys}, Keys: e.Keys, PrivateKeys: privateKeys{e.Keys},
		Address: address.Forms, Import: e.importFile, Freeze: e.composer.Freeze, Deliverable: e.deliverable, Held: e.held, Check: check, Preview: e.preview,
		ConfirmURL: e.confirmURL, RequestMessage: e.requestMessage, Preflight: e.preflight,
		Bundle: func(ctx context.Context, account, person domain.ID, upTo event.Position) ([]byte, error) {
			b, err := e.Desk.Bundle(ctx, account, person, upTo)
			return b.JSON, err
		},
		Local: func(hash string) (tokens.Token, bool) { return e.local, e.local.Hash != "" && hash == e.local.Hash },
		Now:   time.Now, NewID: NewID, Logger: e.options.Logger, Version: Version(),
	}
}

// confirmDays is how long a confirm link is good for.
const confirmDays = 30

func (e *Engine) confirmURL(account, person, list domain.ID) string {
	return e.options.BaseURL + recipient.ConfirmPath + e.Signer.Mint(tracking.Token{
		Kind: tracking.Confirm, Account: account, Person: person, List: list,
		Expires: tracking.Day(time.Now()) + confirmDays,
	})
}

// remembered is of how many people it is known, without looking them up, that they
// let less be tracked than they did: 30 bytes each.
const remembered = 100_000

func (e *Engine) recipientDeps() recipient.Deps {
	who := permissions{e.Models}
	return recipient.Deps{
		Log: e.Journal,
		Parse: func(text string, now time.Time) (recipient.Token, error) {
			t, err := e.Signer.Parse(text, now)
			return fromToken(t), err
		},
		Permissions: tracked{who, audience.NewRetractions(remembered)}.allowed, ListName: who.listName, TrustedProxies: e.options.TrustedProxies,
		Now: time.Now, NewID: NewID, Logger: e.options.Logger, Metrics: e.Metrics,
	}
}

// fromToken is a token, as the recipients' pages ask for it.
func fromToken(t tracking.Token) recipient.Token {
	return recipient.Token{
		Kind: recipient.Kind(t.Kind), Campaign: t.Campaign, Ordinal: t.Ordinal, Person: t.Person,
		Account: t.Account, Link: t.Link, List: t.List,
	}
}

// projections is how the read models do, as the API shows it.
func (e *Engine) projections(ctx context.Context) ([]api.Projection, error) {
	all, err := e.Models.Status(ctx)
	out := make([]api.Projection, len(all))
	for i, s := range all {
		out[i] = api.Projection{
			Name: s.Name, Version: s.Version, Serving: s.Serving, Building: s.Building, Position: uint64(s.Position),
			Head: uint64(s.Head), Lag: s.Lag, Poison: s.Poison, Stopped: s.Stopped,
		}
	}
	return out, err
}

// importFile is an import, as the API asks for it.
func (e *Engine) importFile(ctx context.Context, job api.ImportJob, file io.Reader) error {
	_, err := e.Importer.Import(ctx, csvimport.Options{
		Import: job.Import, Account: job.Account, Actor: job.Actor, List: job.List, Purposes: job.Purposes,
		Source: job.Source, Charset: job.Charset, Delimiter: job.Delimiter, Mapping: job.Mapping,
	}, file)
	return err
}

// ErrNoAccount: the folder has no account, so nobody can be acted for.
var ErrNoAccount = errors.New("the data folder holds no account")

// LocalToken is a token of the first account for this process alone: whoever
// may open the folder may do everything in it. It leaves no event.
func (e *Engine) LocalToken(ctx context.Context) (string, error) {
	if err := e.Settled(ctx); err != nil {
		return "", err
	}
	found, err := tokens.Accounts(ctx, e.Models.Reader(tokens.Projection.Name), domain.ID{}, 1)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", ErrNoAccount
	}
	secret, hash := NewToken()
	e.local = tokens.Token{Account: found[0].ID, Hash: hash, Scopes: account.Scopes}
	return secret, nil
}

// secure says that browsers and recipients reach this server by https.
func (e *Engine) secure() bool { return strings.HasPrefix(e.options.BaseURL, "https://") }
