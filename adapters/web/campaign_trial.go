package web

import (
	"net/http"

	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/projections/messages"
)

// perTests is how many of a campaign's tests its page shows.
const perTests = 10

var messageNames = map[message.Status]string{
	message.Waiting: "Waits for its turn", message.Pending: "On its way", message.Again: "The mail server said not now; it is tried again",
	message.Sent: "Sent", message.Undelivered: "Failed", message.Excluded: "Withheld", message.InDoubt: "Unknown: it may have been sent",
}

// testCampaign sends the campaign, as it is now, to one address, as the sample
// person would get it.
func (s *site) testCampaign(w http.ResponseWriter, r *http.Request, who session) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	c, err := s.loadCampaign(r, who, id)
	if err != nil {
		return err
	}
	m := message.TrialOf(id, c.Settings)
	m.To, m.Name, m.Variables = personal.Of(r.PostFormValue("to")), personal.Of(sample.Name), personal.FieldsOf(sample.Attributes)
	req := s.request(r, who)
	done, err := s.RequestMessage(r.Context(), req, req.ID.Derive("message"), m)
	if err == nil && done.Position > 0 {
		err = s.wait(r.Context(), messages.Projection.Name, done.Position)
	}
	return s.step(w, r, id, err)
}
