package commands_test

import (
	"testing"
	"time"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

var (
	may = campaign.Settings{
		Name: "May letter", Lists: []domain.ID{one, two}, Template: three,
		FromName: "Zoë of ACME", FromEmail: "news@example.org", ReplyTo: "help@example.org",
		Tracking: campaign.Tracking{Opens: true},
	}
	june = settings(func(s *campaign.Settings) { s.Name = "June letter" })

	drafted   = campaign.Drafted{Settings: may}
	edited    = campaign.Edited{Settings: june}
	scheduled = campaign.Scheduled{StartAt: tonight}
	frozen    = campaign.Content{TemplateRevision: 2, SHA256: digest, Links: []string{"https://example.org/a?b=c"}}
	started   = campaign.Started{Content: frozen}
	audience  = campaign.AudienceFrozen{Position: 99, Recipients: 10, Segments: 2, SHA256: digest}
	paused    = campaign.Paused{Reason: "typo"}
	result    = campaign.Finished{Sent: 7, Withheld: 1, Failed: 1, Unknown: 1}

	draft    = DraftCampaign{one, may}
	edit     = EditCampaign{one, june}
	schedule = ScheduleCampaign{Campaign: one, StartAt: tonight, Now: noon}
	start    = StartCampaign{Campaign: one, Content: frozen}
	freeze   = FreezeAudience{Campaign: one, Position: 99, Recipients: 10, Segments: 2, SHA256: digest}
	pause    = PauseCampaign{one, "typo"}
	finish   = FinishCampaign{Campaign: one, Sent: 7, Withheld: 1, Failed: 1, Unknown: 1}

	// Where a campaign can stand.
	drafts    = campaignPast{drafted}
	waiting   = campaignPast{drafted, scheduled}
	sending   = campaignPast{drafted, started, audience}
	unfrozen  = campaignPast{drafted, started}
	held      = campaignPast{drafted, started, audience, paused}
	cancelled = campaignPast{drafted, campaign.Cancelled{}}
	finished  = campaignPast{drafted, started, audience, result}
)

func settings(change func(*campaign.Settings)) campaign.Settings { s := may; change(&s); return s }

func TestDraftCampaign(t *testing.T) {
	nameOnly := campaign.Settings{Name: "May letter"}
	check(t, []campaignRow{
		{name: "begins a campaign", when: draft, then: drafts},
		{name: "begins with a name alone", when: DraftCampaign{one, nameOnly}, then: campaignPast{campaign.Drafted{Settings: nameOnly}}},
		{name: "asked twice", given: drafts, when: draft},
		{name: "asked again after an edit", given: campaignPast{drafted, edited}, when: draft},
		{name: "asked again after the start", given: sending, when: draft},
		{name: "other settings", given: drafts, when: DraftCampaign{one, june}, refused: "already_exists"},
	})
}

func TestEditCampaign(t *testing.T) {
	check(t, []campaignRow{
		{name: "replaces the settings", given: drafts, when: edit, then: campaignPast{edited}},
		{name: "asked twice", given: campaignPast{drafted, edited}, when: edit},
		{name: "no such campaign", when: edit, refused: "not_found"},
		{name: "scheduled", given: waiting, when: edit, refused: "campaign_not_draft"},
		{name: "sending", given: sending, when: edit, refused: "campaign_not_draft"},
		{name: "cancelled", given: cancelled, when: edit, refused: "campaign_not_draft"},
	})
}

func TestCampaignSettings(t *testing.T) {
	for what, c := range map[string]struct {
		change  func(*campaign.Settings)
		refused string
	}{
		"no name":         {func(s *campaign.Settings) { s.Name = "" }, "text_missing"},
		"long name":       {func(s *campaign.Settings) { s.Name = long }, "text_too_long"},
		"bad name":        {func(s *campaign.Settings) { s.Name = "a\x00" }, "bad_text"},
		"injected header": {func(s *campaign.Settings) { s.FromName = "a\r\nBcc: x@example.org" }, "bad_text"},
		"long sender":     {func(s *campaign.Settings) { s.FromName = long }, "text_too_long"},
		"bad sender":      {func(s *campaign.Settings) { s.FromEmail = "news" }, "bad_address"},
		"bad reply":       {func(s *campaign.Settings) { s.ReplyTo = "a@b\r\n" }, "bad_address"},
		"a list twice":    {func(s *campaign.Settings) { s.Lists = []domain.ID{one, one} }, "list_twice"},
		"a list of none":  {func(s *campaign.Settings) { s.Lists = []domain.ID{{}} }, "list_twice"},
		"bad server":      {func(s *campaign.Settings) { s.Server = "a\n" }, "bad_text"},
		"bad window":      {func(s *campaign.Settings) { s.Window = "at night" }, "bad_window"},
		"many lists":      {func(s *campaign.Settings) { s.Lists = make([]domain.ID, 101) }, "too_many_lists"},
	} {
		bad := settings(c.change)
		check(t, []campaignRow{
			{name: "draft: " + what, when: DraftCampaign{one, bad}, refused: c.refused},
			{name: "edit: " + what, given: drafts, when: EditCampaign{one, bad}, refused: c.refused},
		})
	}
}

func TestScheduleCampaign(t *testing.T) {
	at := func(start, now time.Time) ScheduleCampaign {
		return ScheduleCampaign{Campaign: one, StartAt: start, Now: now}
	}
	check(t, []campaignRow{
		{name: "a draft can be scheduled", given: drafts, when: schedule, then: campaignPast{scheduled}},
		{name: "asked twice", given: waiting, when: schedule},
		{name: "asked again when the start has passed", given: waiting, when: at(tonight, tonight.Add(time.Hour))},
		{name: "the time is kept in UTC", given: drafts, when: at(tonight.In(time.FixedZone("", 7200)), noon), then: campaignPast{scheduled}},
		{name: "no such campaign", when: schedule, refused: "not_found"},
		{name: "the start must lie in the future", given: drafts, when: at(tonight, tonight), refused: "start_in_past"},
		{name: "but not beyond planning", given: drafts, when: at(noon.AddDate(6, 0, 0), noon), refused: "start_too_far"},
		{name: "another time", given: waiting, when: at(tonight.Add(time.Hour), noon), refused: "campaign_not_draft"},
		{name: "started", given: sending, when: schedule, refused: "campaign_not_draft"},
	})
}

func TestUnscheduleCampaign(t *testing.T) {
	unschedule := UnscheduleCampaign{Campaign: one}
	check(t, []campaignRow{
		{name: "is a draft again", given: waiting, when: unschedule, then: campaignPast{campaign.Unscheduled{}}},
		{name: "asked twice", given: append(waiting[:2:2], campaign.Unscheduled{}), when: unschedule},
		{name: "says why it could not start", given: waiting, when: UnscheduleCampaign{one, "no way to leave"},
			then: campaignPast{campaign.Unscheduled{Reason: "no way to leave"}}},
		{name: "in one line", given: waiting, when: UnscheduleCampaign{one, "a\nb"}, refused: "bad_text"},
		{name: "no such campaign", when: unschedule, refused: "not_found"},
		{name: "sending", given: sending, when: unschedule, refused: "campaign_started"},
		{name: "paused", given: held, when: unschedule, refused: "campaign_started"},
		{name: "cancelled", given: cancelled, when: unschedule, refused: "campaign_over"},
		{name: "finished", given: finished, when: unschedule, refused: "campaign_over"},
	})
}

func TestStartCampaign(t *testing.T) {
	with := func(change func(*campaign.Content)) StartCampaign { c := start; change(&c.Content); return c }
	other := with(func(c *campaign.Content) { c.TemplateRevision = 3 })
	check(t, []campaignRow{
		{name: "starts a draft", given: drafts, when: start, then: campaignPast{started}},
		{name: "starts what is scheduled", given: waiting, when: start, then: campaignPast{started}},
		{name: "asked twice", given: unfrozen, when: start},
		{name: "asked again when all is over", given: finished, when: start},
		{name: "with other content", given: sending, when: other, refused: "campaign_started"},
		{name: "with other content, over", given: finished, when: other, refused: "campaign_over"},
		{name: "no such campaign", when: start, refused: "not_found"},
		{name: "cancelled", given: cancelled, when: start, refused: "campaign_over"},
		{name: "no revision", given: drafts, when: with(func(c *campaign.Content) { c.TemplateRevision = 0 }), refused: "template_revision_required"},
		{name: "no digest", given: drafts, when: with(func(c *campaign.Content) { c.SHA256 = "" }), refused: "bad_digest"},
		{name: "many links", given: drafts, when: with(func(c *campaign.Content) { c.Links = make([]string, 1<<16) }), refused: "too_many_links"},
		{name: "an empty link", given: drafts, when: with(func(c *campaign.Content) { c.Links = []string{""} }), refused: "text_missing"},
		{name: "a broken link", given: drafts, when: with(func(c *campaign.Content) { c.Links = []string{"https://x\r\nSet-Cookie: a"} }), refused: "bad_text"},
	})
}

func TestThrottleCampaign(t *testing.T) {
	throttle := ThrottleCampaign{one, 60}
	throttled := campaign.Throttled{PerHour: 60}
	check(t, []campaignRow{
		{name: "slows a campaign down", given: sending, when: throttle, then: campaignPast{throttled}},
		{name: "before its start", given: waiting, when: throttle, then: campaignPast{throttled}},
		{name: "while it is paused", given: held, when: throttle, then: campaignPast{throttled}},
		{name: "asked twice", given: append(sending[:len(sending):len(sending)], throttled), when: throttle},
		{name: "lets it run again", given: append(sending[:len(sending):len(sending)], throttled), when: ThrottleCampaign{one, 0},
			then: campaignPast{campaign.Throttled{}}},
		{name: "no such campaign", when: throttle, refused: "not_found"},
		{name: "cancelled", given: cancelled, when: throttle, refused: "campaign_over"},
		{name: "finished", given: finished, when: throttle, refused: "campaign_over"},
		{name: "backwards", given: sending, when: ThrottleCampaign{one, -1}, refused: "bad_throttle"},
		{name: "faster than anything", given: sending, when: ThrottleCampaign{one, 1_000_000_001}, refused: "bad_throttle"},
	})
}

// What preflight finds holds a campaign back, unless each finding is forced by
// its code; what was forced is recorded.
func TestPreflightHoldsBack(t *testing.T) {
	begin := func(blocked, force []string) StartCampaign { c := start; c.Blocked, c.Force = blocked, force; return c }
	later := func(blocked, force []string) ScheduleCampaign {
		c := schedule
		c.Blocked, c.Force = blocked, force
		return c
	}
	two, one := []string{"no_unsubscribe", "dmarc_reject"}, []string{"dmarc_reject"}
	sorted := []string{"dmarc_reject", "no_unsubscribe"}
	forced := campaign.Scheduled{StartAt: tonight, Forced: sorted}
	check(t, []campaignRow{
		{name: "blocked", given: drafts, when: begin(two, nil), refused: "preflight_blocked"},
		{name: "forced in part", given: drafts, when: begin(two, one), refused: "preflight_blocked"},
		{name: "forced", given: drafts, when: begin(two, two), then: campaignPast{campaign.Started{Content: frozen, Forced: sorted}}},
		{name: "forced for nothing", given: drafts, when: begin(one, two), then: campaignPast{campaign.Started{Content: frozen, Forced: one}}},
		{name: "asked again, and blocked by now", given: unfrozen, when: begin(two, nil)},
		{name: "no code", given: drafts, when: begin(nil, []string{"No!"}), refused: "bad_force"},
		{name: "many codes", given: drafts, when: begin(nil, make([]string, 51)), refused: "bad_force"},
		{name: "schedule: blocked", given: drafts, when: later(two, one), refused: "preflight_blocked"},
		{name: "schedule: what is forced is kept", given: drafts, when: later(nil, two), then: campaignPast{forced}},
		{name: "schedule: asked twice", given: campaignPast{drafted, forced}, when: later(two, two)},
		{name: "schedule: forced otherwise", given: campaignPast{drafted, forced}, when: later(two, one), refused: "campaign_not_draft"},
	})
}

// What is not ready neither starts nor waits for its start.
func TestCampaignMustBeReady(t *testing.T) {
	for code, change := range map[string]func(*campaign.Settings){
		"no_recipient_list": func(s *campaign.Settings) { s.Lists = nil },
		"no_template":       func(s *campaign.Settings) { s.Template = domain.ID{} },
		"no_sender":         func(s *campaign.Settings) { s.FromEmail = "" },
	} {
		past := campaignPast{campaign.Drafted{Settings: settings(change)}}
		check(t, []campaignRow{
			{name: "start: " + code, given: past, when: start, refused: code},
			{name: "schedule: " + code, given: past, when: schedule, refused: code},
		})
	}
}

func TestFreezeAudience(t *testing.T) {
	with := func(change func(*FreezeAudience)) FreezeAudience { c := freeze; change(&c); return c }
	empty := FreezeAudience{Campaign: one, Position: 99, SHA256: digest}
	bad := func(n, s int) FreezeAudience {
		return with(func(c *FreezeAudience) { c.Recipients, c.Segments = n, s })
	}
	check(t, []campaignRow{
		{name: "settles the recipients", given: unfrozen, when: freeze, then: campaignPast{audience}},
		{name: "paused meanwhile", given: append(unfrozen[:2:2], paused), when: freeze, then: campaignPast{audience}},
		{name: "nobody at all", given: unfrozen, when: empty, then: campaignPast{campaign.AudienceFrozen{Position: 99, SHA256: digest}}},
		{name: "asked twice", given: sending, when: freeze},
		{name: "others", given: sending, when: with(func(c *FreezeAudience) { c.Recipients = 11 }), refused: "audience_frozen"},
		{name: "no such campaign", when: freeze, refused: "not_found"},
		{name: "not started", given: drafts, when: freeze, refused: "campaign_not_started"},
		{name: "cancelled", given: append(unfrozen[:2:2], campaign.Cancelled{}), when: freeze, refused: "campaign_over"},
		{name: "no digest", given: unfrozen, when: with(func(c *FreezeAudience) { c.SHA256 = "x" }), refused: "bad_digest"},
		{name: "fewer than none", given: unfrozen, when: bad(-1, 0), refused: "bad_number"},
		{name: "more segments than recipients", given: unfrozen, when: bad(1, 2), refused: "bad_number"},
		{name: "recipients in no segment", given: unfrozen, when: bad(1, 0), refused: "bad_number"},
	})
}

func TestPauseAndResumeCampaign(t *testing.T) {
	resume, resumed := ResumeCampaign{one}, campaign.Resumed{}
	check(t, []campaignRow{
		{name: "holds", given: sending, when: pause, then: campaignPast{paused}},
		{name: "holds before the audience is frozen", given: unfrozen, when: pause, then: campaignPast{paused}},
		{name: "held already", given: held, when: pause},
		{name: "held already, for another reason", given: held, when: PauseCampaign{one, "other"}},
		{name: "pause: no such campaign", when: pause, refused: "not_found"},
		{name: "pause: not started", given: waiting, when: pause, refused: "campaign_not_started"},
		{name: "pause: over", given: finished, when: pause, refused: "campaign_over"},
		{name: "pause: bad reason", given: sending, when: PauseCampaign{one, "a\x1b[31m"}, refused: "bad_text"},
		{name: "pause: long reason", given: sending, when: PauseCampaign{one, long}, refused: "text_too_long"},

		{name: "goes on", given: held, when: resume, then: campaignPast{resumed}},
		{name: "goes on already", given: append(held[:4:4], resumed), when: resume},
		{name: "was never held", given: sending, when: resume},
		{name: "resume: no such campaign", when: resume, refused: "not_found"},
		{name: "resume: not started", given: drafts, when: resume, refused: "campaign_not_started"},
		{name: "resume: over", given: cancelled, when: resume, refused: "campaign_over"},
	})
}

func TestCancelCampaign(t *testing.T) {
	cancel, off := CancelCampaign{one}, campaignPast{campaign.Cancelled{}}
	check(t, []campaignRow{
		{name: "a draft", given: drafts, when: cancel, then: off},
		{name: "scheduled", given: waiting, when: cancel, then: off},
		{name: "sending", given: sending, when: cancel, then: off},
		{name: "paused", given: held, when: cancel, then: off},
		{name: "asked twice", given: cancelled, when: cancel},
		{name: "no such campaign", when: cancel, refused: "not_found"},
		{name: "finished", given: finished, when: cancel, refused: "campaign_over"},
	})
}

func TestFinishCampaign(t *testing.T) {
	with := func(change func(*FinishCampaign)) FinishCampaign { c := finish; change(&c); return c }
	check(t, []campaignRow{
		{name: "everybody is accounted for", given: sending, when: finish, then: campaignPast{result}},
		{name: "the last was on its way when paused", given: held, when: finish, then: campaignPast{result}},
		{name: "asked twice", given: finished, when: finish},
		{name: "with another result", given: finished, when: with(func(c *FinishCampaign) { c.Sent, c.Failed = 6, 2 }), refused: "campaign_over"},
		{name: "no such campaign", when: finish, refused: "not_found"},
		{name: "not started", given: waiting, when: finish, refused: "campaign_not_started"},
		{name: "cancelled", given: cancelled, when: finish, refused: "campaign_over"},
		{name: "nobody knows who the recipients are", given: unfrozen, when: finish, refused: "audience_not_frozen"},
		{name: "somebody is missing", given: sending, when: with(func(c *FinishCampaign) { c.Sent = 6 }), refused: "recipients_unaccounted"},
		{name: "fewer than none", given: sending, when: with(func(c *FinishCampaign) { c.Sent, c.Failed = 9, -1 }), refused: "recipients_unaccounted"},
	})
}

func TestResendUnknown(t *testing.T) {
	again := append(finished, campaign.ResendRequested{})
	settled := campaignPast{drafted, started, audience, campaign.Finished{Sent: 9, Withheld: 1}}
	check(t, []campaignRow{
		{name: "asks for the unknown once more", given: finished, when: ResendUnknown{one}, then: campaignPast{campaign.ResendRequested{}}},
		{name: "asked twice", given: again, when: ResendUnknown{one}},
		{name: "asked when more has become unknown", given: append(again, result), when: ResendUnknown{one}, then: campaignPast{campaign.ResendRequested{}}},
		{name: "the campaign finishes anew", given: again, when: FinishCampaign{Campaign: one, Sent: 8, Withheld: 1, Failed: 1},
			then: campaignPast{campaign.Finished{Sent: 8, Withheld: 1, Failed: 1}}},
		{name: "nothing is unknown", given: settled, when: ResendUnknown{one}, refused: "no_unknown_sends"},
		{name: "still sending", given: sending, when: ResendUnknown{one}, refused: "campaign_not_finished"},
		{name: "cancelled", given: cancelled, when: ResendUnknown{one}, refused: "campaign_not_finished"},
		{name: "no campaign", when: ResendUnknown{one}, refused: "not_found"},
	})
}
