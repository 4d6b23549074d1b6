// Package persontimeline answers what happened with one person, in order.
package persontimeline

import (
	"fmt"
	"strings"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/privacyrequest"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// Entry is one event that concerns the person, put in words.
type Entry struct {
	Position event.Position
	Event    domain.ID
	At       time.Time
	Type     string // stored name of the event
	What     string // a sentence without personal values
	Actor    domain.ID
	Campaign domain.ID // zero when it is about none; so for List
	List     domain.ID
	Link     int           // index into the campaign's links; -1: none
	IP       personal.Text // as open or sealed as the events given; so are the rest
	Client   personal.Text
	Reply    personal.Text // of a server, about the person's address
	Note     personal.Text // of the account, about the person
}

// Fold turns the events of one person (subjectindex, then Journal.ReadAt, then
// Journal.Open) into entries, in log order.
func Fold(events []event.Recorded) []Entry {
	entries := make([]Entry, len(events))
	for i, e := range events {
		entries[i] = Entry{Position: e.Position, Event: e.ID, At: e.At, Type: e.Type, Actor: e.Meta.Actor, Link: -1}
		t := &entries[i]
		if !t.held(e.Data) && !t.consented(e.Data) && !t.sent(e.Data) && !t.written(e.Data) && !t.returned(e.Data) && !t.engaged(e.Data) {
			t.asked(e.Data)
		}
	}
	return entries
}

func (t *Entry) held(data any) bool {
	switch e := data.(type) {
	case subscriber.Added:
		t.What = "added, by " + string(e.Source)
	case subscriber.Joined:
		t.What, t.List = "joined a list", e.List
	case subscriber.Rectified:
		t.What = "data corrected, by " + string(e.Source)
	case subscriber.Suppressed:
		t.What, t.Note = "suppressed, gets no mail: "+spaced(e.Reason), e.Note
	case subscriber.Unsuppressed:
		t.What, t.Note = "no longer suppressed for: "+spaced(e.Reason), e.Note
	case subscriber.Restricted:
		t.What, t.Note = "processing restricted: the data is kept and not used", e.Note
	case subscriber.RestrictionLifted:
		t.What, t.Note = "restriction lifted; told so on "+e.InformedAt.Format(time.DateOnly), e.Note
	case subscriber.Objected:
		t.What, t.IP, t.Client = "objected to all marketing"+by(e.Method), e.IP, e.Client
	case subscriber.ObjectionWithdrawn:
		t.What, t.Note, t.IP, t.Client = "took the objection to marketing back"+by(e.Method), e.Note, e.IP, e.Client
	case subscriber.Erased:
		t.What = "erased: no personal value from before can be read again"
	default:
		return false
	}
	return true
}

func (t *Entry) consented(data any) bool {
	switch e := data.(type) {
	case consent.Requested:
		t.What, t.List = "asked for consent to "+spaced(e.Purpose)+by(e.Method), e.List
	case consent.Given:
		t.What, t.List, t.IP, t.Client = "agreed to "+spaced(e.Purpose)+by(e.Method), e.List, e.IP, e.Client
	case consent.Confirmed:
		t.What, t.List, t.IP, t.Client = "confirmed "+spaced(e.Purpose)+by(e.Method), e.List, e.IP, e.Client
	case consent.Revoked:
		t.What, t.List, t.IP, t.Client = "no longer agrees to "+spaced(e.Purpose)+by(e.Method), e.List, e.IP, e.Client
	case consent.Asserted:
		names := make([]string, len(e.Purposes))
		for i, p := range e.Purposes {
			names[i] = spaced(p)
		}
		t.What, t.List = "said by the account to agree to "+strings.Join(names, ", "), e.List
	default:
		return false
	}
	return true
}

func (t *Entry) sent(data any) bool {
	switch e := data.(type) {
	case delivery.Intended:
		t.What, t.Campaign = "about to be sent a message", e.Campaign
		for _, consent := range e.Consents { // one, of the one that the event was read for
			t.What += fmt.Sprintf(", as allowed by event %d of the log", consent)
		}
	case delivery.Withheld:
		t.What, t.Campaign = "not sent to: "+spaced(e.Reason), e.Campaign
	case delivery.Accepted:
		t.What, t.Campaign = fmt.Sprintf("message taken by the mail server (%d)", e.Code), e.Campaign
	case delivery.Deferred:
		t.What, t.Campaign, t.Reply = "message has to wait"+code(e.Code, e.Enhanced), e.Campaign, e.Reply
	case delivery.Failed:
		t.What = "message failed: " + spaced(e.Reason) + code(e.Code, e.Enhanced)
		t.Campaign, t.Reply = e.Campaign, e.Reply
	default:
		return false
	}
	return true
}

// written covers messages outside campaigns.
func (t *Entry) written(data any) bool {
	switch e := data.(type) {
	case message.Requested:
		t.What, t.Campaign = "single message requested: "+string(e.Kind), e.Campaign
	case message.Intended:
		t.What = "about to be sent a single message"
	case message.LeftInDoubt:
		t.What = "unknown whether the single message was sent"
	case message.ResendRequested:
		t.What = "single message to be sent again"
	case message.Withheld:
		t.What = "single message not sent: " + spaced(e.Reason)
	case message.Accepted:
		t.What = fmt.Sprintf("single message taken by the mail server (%d)", e.Code)
	case message.Deferred:
		t.What, t.Reply = "single message has to wait"+code(e.Code, e.Enhanced), e.Reply
	case message.Failed:
		t.What, t.Reply = "single message failed: "+spaced(e.Reason)+code(e.Code, e.Enhanced), e.Reply
	default:
		return false
	}
	return true
}

func (t *Entry) engaged(data any) bool {
	switch e := data.(type) {
	case engagement.Opened:
		t.What, t.Campaign, t.IP, t.Client = "message opened"+machine(e.Machine, e.Signal), e.Campaign, e.IP, e.Client
	case engagement.Clicked:
		t.What = fmt.Sprintf("link %d followed", e.Link+1) + machine(e.Machine, e.Signal)
		t.Campaign, t.Link, t.IP, t.Client = e.Campaign, e.Link, e.IP, e.Client
	case engagement.Unsubscribed:
		t.What, t.Campaign = "unsubscribed by way of this message", e.Campaign
	default:
		return false
	}
	return true
}

// asked covers requests, and whatever has no words yet: its stored name.
func (t *Entry) asked(data any) {
	switch e := data.(type) {
	case privacyrequest.Received:
		t.What = fmt.Sprintf("request received: %s, due %s", e.Kind, e.Due.Format(time.DateOnly))
	case privacyrequest.AccessFulfilled:
		t.What = fmt.Sprintf("access request fulfilled: a bundle of %d events", e.Events)
	case privacyrequest.ErasureFulfilled:
		t.What = fmt.Sprintf("erasure request fulfilled: %d keys destroyed", e.Keys)
	case privacyrequest.RestrictionFulfilled:
		t.What = "restriction request fulfilled"
	case privacyrequest.ObjectionFulfilled:
		t.What = "objection request fulfilled"
	default:
		t.What = t.Type
	}
}

func spaced[T ~string](name T) string { return strings.ReplaceAll(string(name), "_", " ") }

func by(m consent.Method) string {
	if m == "" {
		return ""
	}
	return ", by " + spaced(m)
}

func code(code int, enhanced string) string {
	if code == 0 {
		return ""
	}
	return strings.TrimRight(fmt.Sprintf(" (%d %s", code, enhanced), " ") + ")"
}

func machine(m engagement.Machine, signal string) string {
	switch {
	case m == engagement.MaybeHuman:
		return ""
	case signal == "" || signal == string(m):
		return ", by a machine (" + string(m) + ")"
	}
	return ", by a machine (" + string(m) + ": " + signal + ")"
}
