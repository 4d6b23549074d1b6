package bounce

import (
	"fmt"
	"strings"
	"testing"
)

func sprint(r Report) string { return fmt.Sprintf("%v %+v", r, r) }

// A reply of SMTP says of the mailbox what its code, its status and its words
// say together.
func TestClassify(t *testing.T) {
	for _, c := range []struct {
		code     int
		enhanced string
		text     string
		want     Kind
	}{
		{550, "5.1.1", "<ann@x.example>: user unknown", Hard},
		{550, "5.1.2", "bad domain", Hard},
		{553, "5.1.3", "syntax", Hard},
		{551, "5.1.6", "moved", Hard},
		{556, "5.1.10", "null MX", Hard},
		{553, "5.1.8", "sender domain not found", Block},
		{550, "5.2.1", "disabled", Hard},
		{552, "5.2.2", "full", Soft},
		{552, "5.3.4", "message too large", Soft},
		{550, "5.4.4", "no route", Hard},
		{550, "5.4.1", "Recipient address rejected: Access denied", Hard},
		{550, "5.4.1", "no answer", Soft},
		{550, "5.7.1", "not authorized", Block},
		{550, "5.7.515", "does not meet the required authentication level", Block},
		{550, "5.7.1", "user unknown", Hard},
		{550, "5.7.17", "mailbox owner has changed", Hard},
		{550, "5.6.0", "content", Block},
		{550, "5.1.1", "rejected: listed at Spamhaus", Block},
		{550, "5.1.1", "mailbox full", Soft},
		{550, "5.5.0", "Requested action not taken: mailbox unavailable", Hard},
		{550, "5.0.0", "nothing more", Hard},
		{554, "5.0.0", "nothing more", Block},
		{501, "5.5.4", "syntax error in parameters", Unknown},
		{550, "", "no such user here", Hard},
		{550, "", "5.2.2 over quota", Soft},
		{550, "", "go away", Hard},
		{554, "", "go away", Block},
		{521, "", "takes no mail", Hard},
		{552, "", "no", Soft},
		{500, "", "what?", Unknown},
		{550, "", "Postfach ist voll", Soft},
		{421, "4.7.28", "unusual rate of mail", Block},
		{450, "4.7.1", "Greylisted, come back", Soft},
		{450, "4.2.1", "user unknown", Soft},
		{450, "5.1.1", "user unknown", Soft},
		{421, "", "Messages from 192.0.2.1 deferred due to user complaints", Block},
		{452, "", "insufficient system storage", Soft},
		{0, "", "", Unknown},
		{250, "2.0.0", "fine", Unknown},
	} {
		if got := Classify(c.code, c.enhanced, c.text); got != c.want {
			t.Errorf("%d %s %s: %s, want %s", c.code, c.enhanced, c.text, got, c.want)
		}
	}
}

// A status is found among addresses, versions and the ends of sentences.
func TestFindStatus(t *testing.T) {
	for text, want := range map[string]string{
		"550 5.1.1 unknown": "5.1.1", "(#5.1.1)": "5.1.1", "550-5.7.26 x": "5.7.26", "said 5.2.2.": "5.2.2", "5.4.310": "5.4.310",
		"at 5.1.10.3": "", "from 195.5.1.1": "", "v5.1.1": "", "5.1": "", "5.1.": "", "5.1.1234": "", "5..1.1": "", "51.1.1": "", "2.1.5": "",
		"host 5.1.1.9 said 4.4.2": "4.4.2", "5.1.1a": "", "": "",
	} {
		if got := findStatus(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// A reply's code is one where a reply could stand.
func TestFindCode(t *testing.T) {
	for text, want := range map[string]int{
		"550 no": 550, "said: 550-5.1.1 no": 550, "x 452 4.2.2": 452, "1550 x": 0, "590 x": 0, "550": 0, "a550 b": 0, "": 0,
	} {
		if got := findCode(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// Every pattern is written as texts are folded, has a status that bears it
// out, and is reached: no pattern before it hides it.
func TestPatterns(t *testing.T) {
	for _, table := range [][]pattern{patterns, delays} {
		for _, p := range table {
			sample := strings.Replace(p.words, " * ", " of any kind ", 1)
			if folded(p.words) != p.words || lenStatus(p.status) != len(p.status) {
				t.Errorf("%q, %q: not as it has to be", p.words, p.status)
			}
			if got, _ := match(table, folded("Sorry: "+sample+"!")); got != p {
				t.Errorf("%q is hidden by %q", p.words, got.words)
			}
		}
	}
}
