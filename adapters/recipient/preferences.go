package recipient

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// questions are what the page asks, in order. The wording is part of what a
// yes is evidence of: its hash is in the event.
var questions = []struct {
	purpose     consent.Purpose
	label, help string
}{
	{consent.Mailing, "Messages from %s", "By e-mail, until you say otherwise."},
	{consent.OpenTracking, "Counting that I opened a message", "With the time, your IP address and your mail program. It tells the sender whether messages are read."},
	{consent.ClickTracking, "Counting which links I follow", "With the time, your IP address and your browser. It tells the sender what is of interest."},
	{consent.Profiling, "Choosing content by what I did", "The sender may use what is counted to decide what to send you."},
	{consent.PolicyNotices, "Notices when the privacy policy changes", "A message only when something changes."},
}

// choices are the questions with the person's answers; listName fills the first.
func choices(s subscriber.Subscriber, list domain.ID, listName string) []choice {
	out := make([]choice, len(questions))
	for i, q := range questions {
		label := q.label
		if q.purpose.PerList() {
			label = fmt.Sprintf(label, listName)
		}
		// A yes is shown as a yes, confirmed or not.
		out[i] = choice{string(q.purpose), label, q.help, s.Consent(q.purpose, list).InForce(false)}
	}
	return out
}

// wording is the SHA-256 of what the person was shown, hex.
func (c choice) wording() string {
	sum := sha256.Sum256([]byte(c.Label + "\n" + c.Help))
	return hex.EncodeToString(sum[:])
}

func (h *Handler) showPreferences(w http.ResponseWriter, r *http.Request) {
	h.preferences(w, r, shown, func(Token, []choice) error { return nil })
}

// savePreferences records each answer that differs from what it was, or the
// objection (GDPR Art. 21(5): by the means that mail itself uses).
func (h *Handler) savePreferences(w http.ResponseWriter, r *http.Request) {
	h.preferences(w, r, recorded, func(t Token, now []choice) error {
		if err := r.ParseForm(); err != nil {
			return domain.Refuse("bad_form", "the form cannot be read")
		}
		ip, client := h.who(r)
		req := commands.Request{ID: h.deps.NewID(), Account: t.Account, Actor: t.Person}
		if r.PostForm.Get("object") == "yes" {
			for i := range now {
				now[i].Given = now[i].Given && !subscriber.IsMarketing(consent.Purpose(now[i].Name))
			}
			_, err := commands.Handle(r.Context(), h.deps.Log, req, commands.ObjectSubscriber{
				Person: t.Person, Method: consent.ByUnsubscribe, IP: ip, Client: client,
			})
			return err
		}
		for i := range now {
			yes := r.PostForm.Get(now[i].Name) == "yes"
			if yes == now[i].Given {
				continue
			}
			a := answer{t: t, purpose: consent.Purpose(now[i].Name), wording: now[i].wording(), yes: yes}
			a.give = commands.GiveConsent{Method: consent.ByForm, IP: ip, Client: client}
			if err := h.save(r.Context(), req, a); err != nil {
				return err
			}
			now[i].Given = yes
		}
		return nil
	})
}

// preferences shows the page after act has done its part.
func (h *Handler) preferences(w http.ResponseWriter, r *http.Request, result string,
	act func(Token, []choice) error,
) {
	t, err := h.token(r, Unsubscribe)
	if err != nil {
		h.refuse(w, "preferences", err)
		return
	}
	s, held, err := h.person(r.Context(), t.Account, t.Person)
	var name string
	if err == nil && held {
		name, err = h.deps.ListName(r.Context(), t.Account, t.List)
	}
	if name == "" {
		name = "this list"
	}
	now := choices(s, t.List, name)
	if err == nil && held {
		err = act(t, now)
	}
	switch {
	case err == nil && !held, isRefusal(err):
		h.count("preferences", unknown)
		h.page(w, http.StatusOK, nothingHeld)
	case err != nil:
		h.fail(r, "preferences", err)
		h.page(w, http.StatusServiceUnavailable, tryLater)
	default:
		h.count("preferences", result)
		v := view{Title: "What you agree to", Choices: now, Button: "Save", Object: true}
		if result == recorded {
			v.Text = []string{"Your choice is saved. It takes effect at once."}
		}
		h.page(w, http.StatusOK, v)
	}
}

// answer is one question, answered anew.
type answer struct {
	t       Token
	purpose consent.Purpose
	wording string
	yes     bool
	give    commands.GiveConsent // with the evidence
}

// save records an answer. The link came by mail to the person's address, so a
// yes to mail from here needs no second proof that the address is theirs.
func (h *Handler) save(ctx context.Context, req commands.Request, a answer) error {
	key := consent.KeyOf(a.purpose, a.t.List)
	req.ID = req.ID.Derive(string(a.purpose))
	g := a.give
	if !a.yes {
		_, err := commands.Handle(ctx, h.deps.Log, req, commands.RevokeConsent{
			Person: a.t.Person, Purpose: key.Purpose, List: key.List, Method: g.Method, IP: g.IP, Client: g.Client,
		})
		return err
	}
	g.Person, g.Purpose, g.List, g.Wording = a.t.Person, key.Purpose, key.List, a.wording
	if _, err := commands.Handle(ctx, h.deps.Log, req, g); err != nil || !key.Purpose.PerList() {
		return err
	}
	req.ID = req.ID.Derive("confirm")
	_, err := commands.Handle(ctx, h.deps.Log, req, commands.ConfirmConsent{
		Person: a.t.Person, Purpose: key.Purpose, List: key.List, Method: g.Method, IP: g.IP, Client: g.Client,
	})
	return err
}
