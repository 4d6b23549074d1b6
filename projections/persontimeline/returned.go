package persontimeline

import "github.com/cleversender/cleversender/domain/bounce"

// bounces are what reports say, in words.
var bounces = map[bounce.Kind]string{
	bounce.Hard:      "message came back: there is no such mailbox",
	bounce.Soft:      "message came back: the mailbox does not take it now",
	bounce.Block:     "message came back: the mail server does not want it",
	bounce.AutoReply: "a machine answered the message",
}

func (t *Entry) returned(data any) bool {
	switch e := data.(type) {
	case bounce.Received:
		t.What, t.Campaign, t.Reply = bounces[e.Kind], e.Campaign, e.Diagnostic
		if e.Status != "" {
			t.What += " (" + e.Status + ")"
		}
	case bounce.Complained:
		t.What, t.Campaign = "called the message unwanted", e.Campaign
		if e.Feedback != "" {
			t.What += " (" + e.Feedback + ")"
		}
	default:
		return false
	}
	return true
}
