package commands_test

import (
	"strings"
	"testing"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/commands/commandtest"
	"github.com/cleversender/cleversender/domain/engagement"
)

type hitCommand = Command[engagement.Hits, engagement.Event]

// Every hit is a fact of its own, however many came before.
func TestRecordHits(t *testing.T) {
	for _, c := range []struct {
		cmd  hitCommand
		fact engagement.Event
	}{
		{
			RecordOpen{Campaign: one, Writer: two, Person: ada, Ordinal: 7, Machine: engagement.ImageProxy, Signal: "googleimageproxy", IP: ip, Client: client},
			engagement.Opened{Person: ada, Campaign: one, Ordinal: 7, Machine: engagement.ImageProxy, Signal: "googleimageproxy", IP: ip, Client: client},
		},
		{
			RecordClick{Campaign: one, Writer: two, Person: ada, Ordinal: 7, Link: 3, IP: ip, Client: client},
			engagement.Clicked{Person: ada, Campaign: one, Ordinal: 7, Link: 3, IP: ip, Client: client},
		},
		{
			RecordClick{Campaign: one, Writer: two, Person: ada, Machine: engagement.HeadProbe, Signal: "head"},
			engagement.Clicked{Person: ada, Campaign: one, Machine: engagement.HeadProbe, Signal: "head"},
		},
		{
			RecordUnsubscribe{Campaign: one, Writer: two, Person: ada, Ordinal: 7},
			engagement.Unsubscribed{Person: ada, Campaign: one, Ordinal: 7},
		},
	} {
		commandtest.Given[engagement.Hits](t).When(c.cmd).ThenOnce(c.fact)
		commandtest.Given[engagement.Hits](t, c.fact).When(c.cmd).ThenOnce(c.fact)
	}
}

func TestHitRefusals(t *testing.T) {
	for refused, cmds := range map[string][]hitCommand{
		"person_required": {RecordOpen{}, RecordClick{}, RecordUnsubscribe{}},
		"bad_number": {
			RecordOpen{Person: ada, Ordinal: -1}, RecordClick{Person: ada, Ordinal: -1}, RecordUnsubscribe{Person: ada, Ordinal: -1},
			RecordClick{Person: ada, Link: -1}, RecordClick{Person: ada, Link: 1<<16 - 1},
		},
		"bad_signal": {
			RecordOpen{Person: ada, Signal: "head"},
			RecordClick{Person: ada, Machine: engagement.Scanner, Signal: strings.Repeat("x", 65)},
		},
		"unknown_machine": {RecordOpen{Person: ada, Machine: "toaster"}, RecordClick{Person: ada, Machine: "toaster"}},
	} {
		for _, cmd := range cmds {
			commandtest.Given[engagement.Hits](t).When(cmd).ThenRefused(refused)
		}
	}
}

// What a client calls itself is cut and cleaned, never refused.
func TestOddClientIsKept(t *testing.T) {
	odd := RecordOpen{Person: ada, IP: text("::1\n"), Client: text(strings.Repeat("\x00x", 400))}
	want := engagement.Opened{Person: ada, IP: text("::1"), Client: text(strings.TrimSpace(strings.Repeat(" x", 250)))}
	commandtest.Given[engagement.Hits](t).When(odd).ThenOnce(want)
}

// A hit goes to the stream of the one who records it, and is about the person.
func TestHitGoesToItsWriter(t *testing.T) {
	cmd := RecordOpen{Campaign: one, Writer: two, Person: ada}
	if want := engagement.Stream(one, two); cmd.Stream() != want {
		t.Errorf("%s, want %s", cmd.Stream(), want)
	}
	events, _ := cmd.Decide(engagement.Hits{})
	drafts := Drafts(Request{ID: three, Account: one}, cmd, events, 0)
	if len(drafts) != 1 || drafts[0].Meta.Subject != ada {
		t.Errorf("%+v", drafts)
	}
}
