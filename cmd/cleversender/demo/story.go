package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/smtp/catcher"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/consent"
)

// story is the main job, step by step; each checks what it claims.
func (d *demo) story(ctx context.Context) error {
	d.tell("Clever Sender: a whole campaign on the event log, from a CSV to an erased person.\n")
	var list, mailing domain.ID
	var before acted
	for _, step := range []struct {
		name string
		do   func() (string, error)
	}{
		{"Import", func() (said string, err error) { list, said, err = d.importContacts(ctx); return }},
		{"Consent", func() (string, error) { return d.changeMinds(ctx, list) }},
		{"Campaign", func() (said string, err error) { mailing, said, err = d.startCampaign(ctx, list); return }},
		{"Send", func() (string, error) { return d.send(ctx, mailing) }},
		{"Recipients", func() (said string, err error) { before, said, err = d.recipients(ctx); return }},
		{"Report", func() (string, error) { return d.report(ctx, mailing, before) }},
		{"Access", func() (string, error) { return d.access(ctx) }},
		{"Erasure", func() (string, error) { return d.erase(ctx) }},
		{"Rebuild", func() (string, error) { return d.rebuild(ctx) }},
	} {
		if err := d.step(step.name, step.do); err != nil {
			return err
		}
	}
	var err error
	if d.Events, err = eventlog.Count(ctx, d.engine.Log, 0, nil); err != nil {
		return err
	}
	d.tell("\nEvery step is in the log: %d events.", d.Events)
	return nil
}

func (d *demo) call(ctx context.Context, method, path string, in, out any) error {
	return d.api.Call(ctx, method, path, in, out)
}

func (d *demo) post(ctx context.Context, path string, in, out any) error {
	if in == nil {
		in = struct{}{}
	}
	return d.call(ctx, http.MethodPost, path, in, out)
}

// settled waits until what was done can be seen.
func (d *demo) settled(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return d.engine.Settled(bounded)
}

func (d *demo) importContacts(ctx context.Context) (domain.ID, string, error) {
	var list api.ListCreated
	if err := d.post(ctx, "/lists", api.ListNew{Name: "Readers' letter"}, &list); err != nil {
		return list.ID, "", err
	}
	q := url.Values{"list": {list.ID.String()}, "source": {"shop export"}, "purposes": {"mailing,open_tracking,click_tracking"}}
	resp, err := d.api.Do(ctx, http.MethodPost, "/imports?"+q.Encode(), "text/csv", bytes.NewReader(contacts), nil)
	if err != nil {
		return list.ID, "", err
	}
	defer resp.Body.Close()
	var done api.Import
	if err := json.NewDecoder(resp.Body).Decode(&done); err != nil {
		return list.ID, "", err
	}
	n := done.Counts
	d.Imported, d.RejectedRows = n.Added, n.Rejected
	if n.Added == 0 || n.Rejected == 0 {
		return list.ID, "", fmt.Errorf("%d people and %d bad rows: the file holds both", n.Added, n.Rejected)
	}
	rejected, err := d.download(ctx, "/imports/"+done.ID.String()+"/errors")
	if err != nil {
		return list.ID, "", err
	}
	if lines := strings.Count(string(rejected), "\n"); lines != n.Rejected+1 {
		return list.ID, "", fmt.Errorf("the error file has %d lines for %d rejected rows", lines, n.Rejected)
	}
	return list.ID, fmt.Sprintf("%d people from %d lines; %d already there, %d bad rows left out, with line and reason; SHA-256 %.12s…",
		n.Added, done.Line, n.Unchanged+n.Updated, n.Rejected, done.SHA256), d.settled(ctx)
}

func (d *demo) download(ctx context.Context, path string) ([]byte, error) {
	resp, err := d.api.Do(ctx, http.MethodGet, path, "", nil, nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// changeMinds has some people revoke before the campaign: they are withheld.
func (d *demo) changeMinds(ctx context.Context, list domain.ID) (string, error) {
	var page api.Page[api.Member]
	if err := d.call(ctx, http.MethodGet, "/lists/"+list.String()+"/members?limit=500", nil, &page); err != nil {
		return "", err
	}
	const each = 20 // one in so many of the first page
	revoked := 0
	for i, m := range page.Items {
		var answer api.ConsentAnswer
		switch i % each {
		case 5:
			answer = api.ConsentAnswer{Action: "revoke", Purpose: consent.Mailing, List: list, Method: consent.ByAPI}
			revoked++
		case 6:
			answer = api.ConsentAnswer{Action: "revoke", Purpose: consent.OpenTracking, Method: consent.ByAPI}
		default:
			continue
		}
		if err := d.post(ctx, "/subscribers/"+m.Subscriber.String()+"/consents", answer, nil); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("asserted by the account for all; %d people then revoked mailing, as many open tracking", revoked), d.settled(ctx)
}

func (d *demo) startCampaign(ctx context.Context, list domain.ID) (domain.ID, string, error) {
	var template api.TemplateID
	if err := d.post(ctx, "/templates", api.TemplateNew{
		Name: "Letter", Subject: subject, HTML: newsletterHTML, Text: newsletterText,
	}, &template); err != nil {
		return domain.ID{}, "", err
	}
	var made api.CampaignID
	if err := d.post(ctx, "/campaigns", api.CampaignSettings{
		Name: "May letter", Lists: []domain.ID{list}, Template: template.ID,
		FromName: "Meadow Books – Žofie", FromEmail: "letter@books.example", ReplyTo: "hello@books.example",
		Tracking: api.Tracking{Opens: true, Clicks: true},
	}, &made); err != nil {
		return domain.ID{}, "", err
	}
	if err := d.post(ctx, "/campaigns/"+made.ID.String()+"/start", nil, nil); err != nil {
		return domain.ID{}, "", err
	}
	return made.ID, "template and content frozen, started", nil
}

func (d *demo) send(ctx context.Context, id domain.ID) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		var r api.Report
		if err := d.call(ctx, http.MethodGet, "/campaigns/"+id.String()+"/report", nil, &r); err != nil {
			return "", err
		}
		if r.Status == campaign.Done {
			d.Sent, d.Withheld = r.Sent, r.WithheldWhy
			break
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("the campaign is %s, %d of %d sent: %w", r.Status, r.Sent, r.Recipients, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
	if got := d.catcher.Count(); got != d.Sent {
		return "", fmt.Errorf("the mail server has %d messages, the report says %d", got, d.Sent)
	}
	var why []string
	for _, reason := range slices.Sorted(maps.Keys(d.Withheld)) {
		why = append(why, fmt.Sprintf("%d withheld: %s", d.Withheld[reason], reason))
	}
	return fmt.Sprintf("%d messages over SMTP, each with the consent that allowed it; %s", d.Sent, strings.Join(why, ", ")), nil
}

func (d *demo) recipients(ctx context.Context) (acted, string, error) {
	var sum acted
	people := newCrowd()
	messages := d.catcher.Messages(0, mailbox)
	slices.SortFunc(messages, func(a, b catcher.Message) int { return slices.Compare(a.To, b.To) }) // they came in any order
	for _, m := range messages {
		if err := people.reads(ctx, m.Data, slices.Contains(m.To, person), &sum); err != nil {
			return sum, "", err
		}
	}
	return sum, fmt.Sprintf("%d opened, %d clicked, %d left with one click, by real HTTP requests", sum.opened, sum.clicked, sum.unsubscribed), d.settled(ctx)
}

// report compares what the report says with what the recipients did.
func (d *demo) report(ctx context.Context, id domain.ID, did acted) (string, error) {
	var r api.Report
	if err := d.call(ctx, http.MethodGet, "/campaigns/"+id.String()+"/report", nil, &r); err != nil {
		return "", err
	}
	d.OpenedUnique, d.ClickedUnique, d.Unsubscribed = r.Opens.People, r.Clicks.People, r.Unsubscribed
	if got := (acted{r.Opens.People, r.Clicks.People, r.Unsubscribed}); got != did {
		return "", fmt.Errorf("the report says %+v, the recipients did %+v", got, did)
	}
	if all := r.Sent + r.Withheld + r.Failed + r.Unknown; all != r.Recipients {
		return "", fmt.Errorf("%d of %d recipients are accounted for", all, r.Recipients)
	}
	return fmt.Sprintf("%d selected, %d sent, %d opened, %d clicked, %d unsubscribed: as the recipients did",
		r.Recipients, r.Sent, r.Opens.People, r.Clicks.People, r.Unsubscribed), nil
}
