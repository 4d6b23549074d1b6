package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/projections/campaignlist"
)

// inputTime is how browsers write a moment without a zone.
const inputTime = "2006-01-02T15:04"

var errBadTime = domain.Refuse("bad_time", "give a day and a time, such as 2026-05-01T09:00")

// startCampaign freezes what is sent, as it is now, and lets it go.
func (s *site) startCampaign(w http.ResponseWriter, r *http.Request, who session) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	c, err := s.loadCampaign(r, who, id)
	if err != nil {
		return err
	}
	start := commands.StartCampaign{Campaign: id, Content: c.Content, Force: forced(r)}
	if !c.Started && !c.Over() {
		if start.Content, err = s.Freeze(r.Context(), who.account, c.Settings); err != nil {
			return err
		}
		if start.Blocked, err = s.blocked(r.Context(), who.account, c.Settings); err != nil {
			return err
		}
	}
	return s.step(w, r, id, act(s, r, who, campaignlist.Projection.Name, start))
}

// loadCampaign is the campaign as the log has it: a read model may lag.
func (s *site) loadCampaign(r *http.Request, who session, id domain.ID) (c campaign.Campaign, err error) {
	past, err := s.Log.Load(r.Context(), campaign.Stream(id))
	if err != nil {
		return c, err
	}
	if len(past) == 0 || past[0].Meta.Account != who.account {
		return c, commands.ErrNotFound
	}
	for _, e := range past {
		c = c.Evolve(e.Data.(campaign.Event))
	}
	return c, nil
}

func (s *site) step(w http.ResponseWriter, r *http.Request, id domain.ID, err error) error {
	if err != nil {
		return err
	}
	return seeOther(w, r, "/campaigns/"+id.String())
}

func (s *site) scheduleCampaign(w http.ResponseWriter, r *http.Request, who session) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	at, err := time.Parse(inputTime, r.PostFormValue("start_at"))
	if err != nil {
		return errBadTime
	}
	schedule := commands.ScheduleCampaign{Campaign: id, StartAt: at, Now: s.Now(), Force: forced(r)}
	c, err := s.loadCampaign(r, who, id)
	if err != nil {
		return err
	}
	if c.Status == campaign.Draft && commands.Ready(c.Settings) == nil {
		if schedule.Blocked, err = s.blocked(r.Context(), who.account, c.Settings); err != nil {
			return err
		}
	}
	return s.step(w, r, id, act(s, r, who, campaignlist.Projection.Name, schedule))
}

func (s *site) unscheduleCampaign(w http.ResponseWriter, r *http.Request, who session) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return s.step(w, r, id, act(s, r, who, campaignlist.Projection.Name, commands.UnscheduleCampaign{Campaign: id}))
}

func (s *site) pauseCampaign(w http.ResponseWriter, r *http.Request, who session) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return s.step(w, r, id, act(s, r, who, campaignlist.Projection.Name, commands.PauseCampaign{Campaign: id, Reason: r.PostFormValue("reason")}))
}

var errBadNumber = domain.Refuse("bad_number", "give a whole number of messages an hour; 0 is as many as there are")

func (s *site) throttleCampaign(w http.ResponseWriter, r *http.Request, who session) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(r.PostFormValue("per_hour"))
	if err != nil {
		return errBadNumber
	}
	return s.step(w, r, id, act(s, r, who, campaignlist.Projection.Name, commands.ThrottleCampaign{Campaign: id, PerHour: n}))
}

func (s *site) resumeCampaign(w http.ResponseWriter, r *http.Request, who session) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return s.step(w, r, id, act(s, r, who, campaignlist.Projection.Name, commands.ResumeCampaign{Campaign: id}))
}

func (s *site) cancelCampaign(w http.ResponseWriter, r *http.Request, who session) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return s.step(w, r, id, act(s, r, who, campaignlist.Projection.Name, commands.CancelCampaign{Campaign: id}))
}

// resendUnknown sends again where it is unknown whether a message was sent.
func (s *site) resendUnknown(w http.ResponseWriter, r *http.Request, who session) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return s.step(w, r, id, act(s, r, who, campaignlist.Projection.Name, commands.ResendUnknown{Campaign: id}))
}
