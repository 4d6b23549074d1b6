package recipient

import (
	"context"
	"net/http"
	"strings"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain/consent"
)

// askToLeave shows a button. It looks alike for everybody who holds a token of ours.
func (h *Handler) askToLeave(w http.ResponseWriter, r *http.Request) {
	t, err := h.token(r, Unsubscribe)
	if err != nil {
		h.refuse(w, "unsubscribe", err)
		return
	}
	name, held, err := h.listOf(r.Context(), t)
	switch {
	case err != nil:
		h.fail(r, "unsubscribe", err)
		h.page(w, http.StatusServiceUnavailable, tryLater)
	case !held:
		h.count("unsubscribe", unknown)
		h.page(w, http.StatusOK, nothingHeld)
	default:
		h.count("unsubscribe", shown)
		h.page(w, http.StatusOK, view{
			Title:  "Unsubscribe",
			Text:   []string{"You will get no more messages from " + name + "."},
			Button: "Unsubscribe",
			More:   PreferencesPath + r.PathValue("token"),
		})
	}
}

// leave withdraws the consent to the list's mail: by the page's button, or by
// the mail client's one click (RFC 8058, section 3.1). Once more changes nothing.
func (h *Handler) leave(w http.ResponseWriter, r *http.Request) {
	t, err := h.token(r, Unsubscribe)
	if err != nil {
		h.refuse(w, "unsubscribe", err)
		return
	}
	method, err := howTheyLeave(r)
	if err != nil {
		h.page(w, http.StatusBadRequest, tryLater)
		return
	}
	ip, client := h.who(r)
	req := commands.Request{ID: h.deps.NewID(), Account: t.Account, Actor: t.Person}
	done, err := commands.Handle(r.Context(), h.deps.Log, req, commands.RevokeConsent{
		Person: t.Person, Purpose: consent.Mailing, List: t.List, Method: method, IP: ip, Client: client,
	})
	switch {
	case isRefusal(err): // erased, or never known: no mail leaves for them either way
		h.count("unsubscribe", unknown)
		h.page(w, http.StatusOK, nothingHeld)
		return
	case err != nil:
		h.fail(r, "unsubscribe", err)
		h.page(w, http.StatusServiceUnavailable, tryLater)
		return
	}
	h.count("unsubscribe", recorded)
	if done.Events > 0 && !t.Campaign.IsZero() {
		h.recordLeft(r, t, req)
	}
	h.page(w, http.StatusOK, view{
		Title: "You are unsubscribed",
		Text:  []string{"It takes effect at once. There is nothing else you need to do."},
		More:  PreferencesPath + r.PathValue("token"),
	})
}

// recordLeft says which campaign led to it. What counts has been recorded by then.
func (h *Handler) recordLeft(r *http.Request, t Token, req commands.Request) {
	err := h.recorder.record(&hit{
		who: Who{Account: t.Account, Person: t.Person}, campaign: t.Campaign,
		drafts: decide(req, commands.RecordUnsubscribe{
			Campaign: t.Campaign, Writer: h.recorder.writers.of(t.Campaign).id, Person: t.Person, Ordinal: t.Ordinal,
		}),
	})
	if err != nil {
		h.fail(r, "unsubscribe", err)
	}
}

// howTheyLeave reads the body: RFC 8058 allows both encodings of a form.
func howTheyLeave(r *http.Request) (consent.Method, error) {
	parse := r.ParseForm
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		parse = func() error { return r.ParseMultipartForm(maxBody) }
	}
	if err := parse(); err != nil {
		return "", err
	}
	if r.PostFormValue("List-Unsubscribe") == "One-Click" {
		return consent.ByOneClick, nil
	}
	return consent.ByUnsubscribe, nil
}

// listOf names the token's list, for a person whom we hold.
func (h *Handler) listOf(ctx context.Context, t Token) (name string, held bool, err error) {
	if _, held, err = h.person(ctx, t.Account, t.Person); err != nil || !held {
		return "", false, err
	}
	if name, err = h.deps.ListName(ctx, t.Account, t.List); name == "" {
		name = "this list"
	}
	return name, true, err
}
