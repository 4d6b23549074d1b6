package web_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// sent is a campaign to four people: two got it, one of whom opened and
// clicked, later than it was sent; one had unsubscribed, one was refused.
func sent(w *world) domain.ID {
	w.t.Helper()
	id, _ := draft(w)
	worker, people := newID(), delivery.Subjects{newID(), newID(), newID(), newID()}
	run(w, w.account, commands.StartCampaign{Campaign: id, Content: campaign.Content{
		TemplateRevision: 1, SHA256: strings.Repeat("a", 64), Links: []string{"https://example.com/?a=1&b=2"},
	}})
	run(w, w.account, commands.FreezeAudience{Campaign: id, Position: 1, Recipients: 4, Segments: 1, SHA256: strings.Repeat("b", 64)})
	run(w, w.account, commands.PlanSegment{Campaign: id, Subjects: people})
	run(w, w.account, commands.ClaimSegment{Campaign: id, Worker: worker, Until: w.now.Add(time.Hour), Now: w.now})
	intended := []commands.IntendedSend{}
	for i, p := range people[:3] {
		intended = append(intended, commands.IntendedSend{Recipient: delivery.Recipient{Person: p, Ordinal: i}, Consent: 1})
	}
	run(w, w.account, commands.IntendSends{Campaign: id, Worker: worker, Sends: intended})
	run(w, w.account, commands.WithholdSends{Campaign: id, Worker: worker, Sends: []delivery.Withheld{
		{Person: people[3], Campaign: id, Ordinal: 3, Reason: delivery.Revoked},
	}})
	run(w, w.account, commands.RecordResults{Campaign: id, Worker: worker, Results: []delivery.Result{
		{Recipient: delivery.Recipient{Person: people[0], Ordinal: 0}, To: delivery.Sent, Code: 250},
		{Recipient: delivery.Recipient{Person: people[1], Ordinal: 1}, To: delivery.Sent, Code: 250},
		{Recipient: delivery.Recipient{Person: people[2], Ordinal: 2}, To: delivery.Undelivered, Code: 550, Reason: delivery.Rejected},
	}})
	for i, p := range people[1:3] {
		run(w, w.account, commands.AddSubscriber{Person: p, Email: personal.Of(fmt.Sprintf("p%d@example.com", i)), Source: subscriber.SourceAPI})
		run(w, w.account, commands.RecordBounce{Person: p, Letter: bounce.Letter{Campaign: id, Ordinal: i + 1}, Kind: bounce.Soft, Source: bounce.SMTP, At: w.now})
	}
	run(w, w.account, commands.RecordComplaint{Person: people[1], Letter: bounce.Letter{Campaign: id, Ordinal: 1}, Source: bounce.SES, At: w.now})
	w.now = w.now.Add(5 * time.Hour)
	run(w, w.account, commands.RecordOpen{Campaign: id, Writer: worker, Person: people[0], Ordinal: 0})
	run(w, w.account, commands.RecordClick{Campaign: id, Writer: worker, Person: people[0], Ordinal: 0, Link: 0})
	run(w, w.account, commands.RecordClick{Campaign: id, Writer: worker, Person: people[1], Ordinal: 1, Link: 0, Machine: engagement.Scanner})
	return id
}

// A report tells what became of everyone, why, what was followed, and when, in
// drawings that can also be read.
func TestReport(t *testing.T) {
	w := newWorld(t)
	id := sent(w)
	p := w.get("/campaigns/"+id.String(), 200)
	w.has(p, `<span data-field="sent">2</span> <small><span data-share="sent/recipients">50.0`, `<span data-field="opened">1</span> <small><span data-share="opened/sent">50.0`,
		"Withheld: Unsubscribed before their turn", "Failed: The mail server refused the message",
		`https://example.com/?a=1&amp;b=2</td><td class="num">1</td><td class="num">1</td><td class="num">1</td>`,
		`<title id="sent-title">Sent over time</title>`, `role="img" aria-labelledby="opens-title opens-desc"`,
		"1 Mar 2026, 17:00 UTC: 1</title>", `A security scanner, crawler or program</td><td class="num">0</td><td class="num">1</td>`, "The numbers as a table",
		`The mailbox does not take mail now</td><td class="num">2</td><td class="num">50.0`,
		`Called it unwanted; no campaign is sent to them any more</td><td class="num">1</td><td class="num">25.0`)
	w.lacks(p, "There is no such mailbox", "A machine answered")
	if n := strings.Count(p.body, `<rect class="clicks"`); n != 1 {
		t.Errorf("%d bars of clicks", n)
	}
	w.has(w.get("/", 200), `<progress data-field="done" max="4" value="4"`)
	var live map[string]any
	if err := json.Unmarshal([]byte(w.get("/campaigns/"+id.String()+"/progress", 200).body), &live); err != nil {
		t.Fatal(err)
	}
	if live["sent"] != 2.0 || live["done"] != 4.0 || live["clicked"] != 1.0 || live["status"] != "sending" {
		t.Errorf("%v", live)
	}
}
