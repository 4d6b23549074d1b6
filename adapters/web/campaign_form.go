package web

import (
	"net/http"
	"slices"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/domain/template"
	"github.com/cleversender/cleversender/projections/audience"
	"github.com/cleversender/cleversender/projections/campaignlist"
	"github.com/cleversender/cleversender/projections/templates"
)

// campaignForm is a draft being written.
type campaignForm struct {
	Form      domain.ID // names the form, so that sent twice it makes one campaign
	ID        domain.ID // zero: a new one
	Settings  campaign.Settings
	Lists     []audience.List
	Templates []templates.Template
}

// On reports that the campaign goes to a list.
func (f campaignForm) On(id domain.ID) bool { return slices.Contains(f.Settings.Lists, id) }

func (s *site) newCampaign(w http.ResponseWriter, r *http.Request, who session) error {
	return s.campaignForm(w, r, who, campaignForm{Form: s.NewID()}, "")
}

func (s *site) campaignForm(w http.ResponseWriter, r *http.Request, who session, f campaignForm, problem string) error {
	all, err := audience.Lists(r.Context(), s.rows(audience.Projection.Name), who.account, domain.ID{}, 1000)
	if err != nil {
		return err
	}
	for _, l := range all {
		if !l.Archived || f.On(l.ID) {
			f.Lists = append(f.Lists, l)
		}
	}
	if f.Templates, err = templates.Recent(r.Context(), s.rows(templates.Projection.Name), who.account, 0, 200); err != nil {
		return err
	}
	title := "New campaign"
	if !f.ID.IsZero() {
		title = "Edit campaign"
	}
	return s.show(w, r, who, "campaign_form", view{Title: title, Section: "campaigns", Error: problem, Data: f})
}

func settingsOf(r *http.Request) campaign.Settings {
	set := campaign.Settings{
		Name: r.PostFormValue("name"), Template: formID(r, "template"), FromName: r.PostFormValue("from_name"),
		FromEmail: r.PostFormValue("from_email"), ReplyTo: r.PostFormValue("reply_to"),
		Tracking: campaign.Tracking{Opens: r.PostFormValue("opens") != "", Clicks: r.PostFormValue("clicks") != ""},
		Server:   r.PostFormValue("server"), Window: r.PostFormValue("window"),
	}
	for _, text := range r.PostForm["list"] {
		if id, err := domain.ParseID(text); err == nil && !id.IsZero() {
			set.Lists = append(set.Lists, id)
		}
	}
	return set
}

func (s *site) draftCampaign(w http.ResponseWriter, r *http.Request, who session) error {
	req := s.request(r, who)
	cmd := commands.DraftCampaign{Campaign: req.ID.Derive("campaign"), Settings: settingsOf(r)}
	err := s.owns(r, who, cmd.Settings)
	if err == nil {
		err = act(s, r, who, campaignlist.Projection.Name, cmd)
	}
	if problem, fault := refused(err); problem != "" {
		return s.campaignForm(w, r, who, campaignForm{Form: formID(r, "form"), Settings: cmd.Settings}, problem)
	} else if fault != nil {
		return fault
	}
	return seeOther(w, r, "/campaigns/"+cmd.Campaign.String())
}

func (s *site) editCampaignPage(w http.ResponseWriter, r *http.Request, who session) error {
	p, err := s.findCampaign(r, who)
	if err != nil {
		return err
	}
	return s.campaignForm(w, r, who, campaignForm{ID: p.ID, Settings: p.Settings}, "")
}

func (s *site) editCampaign(w http.ResponseWriter, r *http.Request, who session) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	settings := settingsOf(r)
	if err = s.owns(r, who, settings); err == nil {
		err = act(s, r, who, campaignlist.Projection.Name, commands.EditCampaign{Campaign: id, Settings: settings})
	}
	if problem, fault := refused(err); problem != "" {
		return s.campaignForm(w, r, who, campaignForm{ID: id, Settings: settings}, problem)
	} else if fault != nil {
		return fault
	}
	return seeOther(w, r, "/campaigns/"+id.String())
}

// owns refuses lists and templates that are not the account's, and ways of
// delivery that are not there.
func (s *site) owns(r *http.Request, who session, set campaign.Settings) error {
	if err := s.Deliverable(set); err != nil {
		return err
	}
	streams := make([]string, 0, len(set.Lists)+1)
	for _, id := range set.Lists {
		streams = append(streams, list.Stream(id))
	}
	if !set.Template.IsZero() {
		streams = append(streams, template.Stream(set.Template))
	}
	for _, stream := range streams {
		if err := commands.Exists(r.Context(), s.Log, who.account, stream); err != nil {
			return err
		}
	}
	return nil
}

func (s *site) cancelPage(w http.ResponseWriter, r *http.Request, who session) error {
	p, err := s.findCampaign(r, who)
	if err != nil {
		return err
	}
	return s.show(w, r, who, "cancel", view{Title: "Cancel " + p.Settings.Name, Section: "campaigns", Data: p})
}
