package recipient

import (
	"errors"
	"maps"
	"net/http"
	"strconv"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/event"
)

// gif is one transparent pixel.
var gif = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00," +
	"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

// ofGIF is its headers; nobody appends to their slices.
var ofGIF = http.Header{"Content-Type": {"image/gif"}, "Content-Length": {strconv.Itoa(len(gif))}}

// pixel answers every request alike, whatever its token.
func (h *Handler) pixel(w http.ResponseWriter, r *http.Request) {
	t, err := h.token(r, Open)
	switch {
	case err != nil:
		h.count("open", refusalResult(err))
	default:
		m, err := h.mailings.of(r.Context(), h.deps.Log, t.Account, t.Campaign)
		if err != nil {
			h.fail(r, "open", err)
			break
		}
		h.recordOpen(r, t, m)
	}
	maps.Copy(w.Header(), ofGIF)
	_, _ = w.Write(gif) // the reader may have left
}

func (h *Handler) recordOpen(r *http.Request, t Token, m mailing) {
	why, signal := Machine(r.Method, r.Header)
	ip, client := h.who(r)
	req := commands.Request{ID: h.deps.NewID(), Account: t.Account, Actor: t.Person}
	to := h.recorder.writers.of(t.Campaign)
	h.record(r, "open", t, m, why, Permission.opens, to, decide(req, commands.RecordOpen{
		Campaign: t.Campaign, Writer: to.id, Person: t.Person, Ordinal: t.Ordinal,
		Machine: why, Signal: signal, IP: ip, Client: client,
	}))
}

// link leads to a target of the campaign, and nowhere else.
func (h *Handler) link(w http.ResponseWriter, r *http.Request) {
	t, err := h.token(r, Click)
	if err != nil {
		h.count("click", refusalResult(err))
		h.page(w, http.StatusNotFound, noSuchLink)
		return
	}
	m, err := h.mailings.of(r.Context(), h.deps.Log, t.Account, t.Campaign)
	switch {
	case err != nil:
		h.fail(r, "click", err)
		h.page(w, http.StatusServiceUnavailable, tryLater)
	case t.Link < 0 || t.Link >= len(m.targets) || m.targets[t.Link] == "":
		h.count("click", unknown)
		h.page(w, http.StatusNotFound, noSuchLink)
	default:
		h.recordClick(r, t, m)
		w.Header().Set("Location", m.targets[t.Link])
		w.WriteHeader(http.StatusFound)
	}
}

func (h *Handler) recordClick(r *http.Request, t Token, m mailing) {
	why, signal := Machine(r.Method, r.Header)
	ip, client := h.who(r)
	req := commands.Request{ID: h.deps.NewID(), Account: t.Account, Actor: t.Person}
	to := h.recorder.writers.of(t.Campaign)
	h.record(r, "click", t, m, why, Permission.clicks, to, decide(req, commands.RecordClick{
		Campaign: t.Campaign, Writer: to.id, Person: t.Person, Ordinal: t.Ordinal, Link: t.Link,
		Machine: why, Signal: signal, IP: ip, Client: client,
	}))
}

func (p Permission) opens() bool  { return p.Opens }
func (p Permission) clicks() bool { return p.Clicks }

// record waits until the hit is durable, and counts what came of it. What it seals
// here, beside other requests, is not left to the one that writes for all.
func (h *Handler) record(r *http.Request, kind string, t Token, m mailing, why engagement.Machine, allowed func(Permission) bool,
	to *writer, drafts []event.Draft,
) {
	h.deps.Log.Prepare(to.stream, drafts)
	err := h.recorder.record(&hit{who: Who{t.Account, t.Person, m.started}, campaign: t.Campaign, allowed: allowed, drafts: drafts})
	switch {
	case err == nil && why == engagement.MaybeHuman:
		h.count(kind, recorded)
	case err == nil:
		h.count(kind, machine)
	case errors.Is(err, errNoConsent), isRefusal(err): // or erased a moment ago
		h.count(kind, noConsent)
	default:
		h.fail(r, kind, err)
	}
}
