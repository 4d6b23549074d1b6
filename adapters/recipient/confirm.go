package recipient

import (
	"net/http"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain/consent"
)

// askToConfirm shows a button: link checkers follow links, they do not press buttons.
func (h *Handler) askToConfirm(w http.ResponseWriter, r *http.Request) {
	t, err := h.token(r, Confirm)
	if err != nil {
		h.refuse(w, "confirm", err)
		return
	}
	name, held, err := h.listOf(r.Context(), t)
	switch {
	case err != nil:
		h.fail(r, "confirm", err)
		h.page(w, http.StatusServiceUnavailable, tryLater)
	case !held:
		h.count("confirm", unknown)
		h.page(w, http.StatusOK, nothingHeld)
	default:
		h.count("confirm", shown)
		h.page(w, http.StatusOK, view{
			Title: "Confirm your subscription",
			Text: []string{
				"Press the button if you want to get messages from " + name + ".",
				"If you did not ask for them, close this page: nothing will be sent.",
			},
			Button: "Confirm",
		})
	}
}

// confirm completes the double opt-in. Once more changes nothing.
func (h *Handler) confirm(w http.ResponseWriter, r *http.Request) {
	t, err := h.token(r, Confirm)
	if err != nil {
		h.refuse(w, "confirm", err)
		return
	}
	ip, client := h.who(r)
	req := commands.Request{ID: h.deps.NewID(), Account: t.Account, Actor: t.Person}
	_, err = commands.Handle(r.Context(), h.deps.Log, req, commands.ConfirmConsent{
		Person: t.Person, Purpose: consent.Mailing, List: t.List, Method: consent.ByConfirmLink, IP: ip, Client: client,
	})
	switch {
	case isRefusal(err):
		h.count("confirm", unknown)
		h.page(w, http.StatusOK, nothingHeld)
	case err != nil:
		h.fail(r, "confirm", err)
		h.page(w, http.StatusServiceUnavailable, tryLater)
	default:
		h.count("confirm", recorded)
		h.page(w, http.StatusOK, view{
			Title: "Your subscription is confirmed",
			Text:  []string{"Thank you. Every message has a link by which you can leave again."},
		})
	}
}
