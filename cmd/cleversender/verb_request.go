package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/privacyrequest"
)

type requestVerbs struct {
	Access   requestAccessVerb   `cmd:"" help:"A person asks for their data (GDPR Art. 15): make the bundle."`
	Erase    requestEraseVerb    `cmd:"" help:"A person asks to be erased (GDPR Art. 17): this cannot be undone."`
	Restrict requestRestrictVerb `cmd:"" help:"A person asks that their data is kept and not used (GDPR Art. 18)."`
	Object   requestObjectVerb   `cmd:"" help:"A person objects to direct marketing (GDPR Art. 21(2))."`
	Ls       requestLsVerb       `cmd:"" help:"List the requests, newest first."`
	Show     requestShowVerb     `cmd:"" help:"Show a request and what became of it."`
	Bundle   requestBundleVerb   `cmd:"" help:"Download what an access request gets."`
}

// person names a data subject: by id, or by address.
type person struct {
	Who string `arg:"" help:"The person: id or e-mail address."`
}

func (p person) request(kind privacyrequest.Kind) api.RequestNew {
	in := api.RequestNew{Kind: kind}
	if strings.Contains(p.Who, "@") {
		in.Email = p.Who
	} else {
		in.Subscriber, _ = domain.ParseID(p.Who) // a bad id names nobody: the API refuses it
	}
	return in
}

// ask opens a request and waits until the desk has fulfilled it.
func (s *session) ask(in api.RequestNew) (api.Request, error) {
	var opened api.RequestOpened
	if err := s.post("/requests", in, &opened); err != nil {
		return api.Request{}, err
	}
	for {
		var r api.Request
		err := s.get("/requests/"+opened.ID.String(), &r)
		if err == nil && !r.FulfilledAt.IsZero() {
			return r, nil
		}
		if exit := exitCode(err); err != nil && exit != exitNotFound { // not found: not projected yet
			return r, err
		}
		select {
		case <-s.ctx.Done():
			return r, s.ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

type requestAccessVerb struct {
	person
	Out string `help:"File to save the bundle to." type:"path"`
}

// Run implements the verb.
func (v requestAccessVerb) Run(s *session) error {
	r, err := s.ask(v.request(privacyrequest.Access))
	if err != nil {
		return err
	}
	if v.Out != "" {
		if err := s.saveBundle(r.ID.String(), v.Out); err != nil {
			return err
		}
	}
	return showRequest(s, r)
}

type requestEraseVerb struct{ person }

// Run implements the verb.
func (v requestEraseVerb) Run(s *session) error {
	r, err := s.ask(v.request(privacyrequest.Erasure))
	if err != nil {
		return err
	}
	return showRequest(s, r)
}

type requestRestrictVerb struct{ person }

// Run implements the verb.
func (v requestRestrictVerb) Run(s *session) error {
	r, err := s.ask(v.request(privacyrequest.Restriction))
	if err != nil {
		return err
	}
	return showRequest(s, r)
}

type requestObjectVerb struct{ person }

// Run implements the verb.
func (v requestObjectVerb) Run(s *session) error {
	r, err := s.ask(v.request(privacyrequest.Objection))
	if err != nil {
		return err
	}
	return showRequest(s, r)
}

type requestLsVerb struct{ paging }

// Run implements the verb.
func (v requestLsVerb) Run(s *session) error {
	return listed(s, "/requests", v.paging, []string{"ID", "KIND", "SUBSCRIBER", "RECEIVED", "DUE", "FULFILLED"}, func(r api.Request) []string {
		return []string{r.ID.String(), string(r.Kind), r.Subscriber.String(), date(r.ReceivedAt), date(r.Due), date(r.FulfilledAt)}
	})
}

type requestShowVerb struct {
	ID string `arg:""`
}

// Run implements the verb.
func (v requestShowVerb) Run(s *session) error {
	var r api.Request
	if err := s.get("/requests/"+v.ID, &r); err != nil {
		return err
	}
	return showRequest(s, r)
}

func showRequest(s *session, r api.Request) error {
	return s.print(r, func(w io.Writer) {
		rows := [][]string{
			{"request", r.ID.String()}, {"kind", string(r.Kind)}, {"person", r.Subscriber.String()},
			{"received", date(r.ReceivedAt)}, {"due", date(r.Due)}, {"fulfilled", date(r.FulfilledAt)},
		}
		if a := r.Access; a != nil {
			rows = append(rows, []string{"events", fmt.Sprint(a.Events)}, []string{"SHA-256", a.SHA256})
		}
		if e := r.Erasure; e != nil {
			rows = append(rows, []string{"redaction", e.Redaction.String()}, []string{"keys destroyed", fmt.Sprint(e.Keys)},
				[]string{"events unreadable", fmt.Sprint(e.Events)}, []string{"kept from coming back", yes(e.Suppressed)})
		}
		if !r.Hold.IsZero() {
			rows = append(rows, []string{"holds from event", r.Hold.String()})
		}
		table(w, rows...)
	})
}

type requestBundleVerb struct {
	ID  string `arg:"" help:"Id of the access request."`
	Out string `help:"File to save the bundle to; without it, standard output." type:"path"`
}

// Run implements the verb.
func (v requestBundleVerb) Run(s *session) error {
	if v.Out != "" {
		return s.done(s.saveBundle(v.ID, v.Out), "saved")
	}
	body, err := s.bundle(v.ID)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(s.out, body)
	return err
}

func (s *session) bundle(id string) (io.ReadCloser, error) {
	c, err := s.client()
	if err != nil {
		return nil, err
	}
	resp, err := c.Do(s.ctx, http.MethodGet, "/requests/"+id+"/bundle", "", nil, nil)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

func (s *session) saveBundle(id, path string) error {
	body, err := s.bundle(id)
	if err != nil {
		return err
	}
	defer body.Close()
	return save(path, body)
}
