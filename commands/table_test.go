package commands_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/commands/commandtest"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/contactimport"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/privacyrequest"
	"github.com/cleversender/cleversender/domain/signing"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/domain/template"
)

// row is one sentence about a command: given what happened, when it is asked,
// then these events; or a refusal; or, when both are missing, nothing.
type row[S commands.State[S, E], E any] struct {
	name    string
	given   []E
	when    commands.Command[S, E]
	then    []E
	refused string
}

func check[S commands.State[S, E], E any](t *testing.T, rows []row[S, E]) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			test := commandtest.Given[S](t, r.given...).When(r.when)
			switch {
			case r.refused != "":
				test.ThenRefused(r.refused)
			case len(r.then) == 0:
				test.ThenNothing()
			default:
				test.Then(r.then...)
			}
		})
	}
}

type (
	accountRow    = row[account.Account, account.Event]
	listRow       = row[list.List, list.Event]
	subscriberRow = row[subscriber.Subscriber, subscriber.Event]
	templateRow   = row[template.Template, template.Event]
	campaignRow   = row[campaign.Campaign, campaign.Event]
	importRow     = row[contactimport.Import, contactimport.Event]
	signingRow    = row[signing.Domain, signing.Event]
	requestRow    = row[privacyrequest.Request, privacyrequest.Event]

	messageRow = row[message.Message, message.Event]

	accountPast    = []account.Event
	listPast       = []list.Event
	subscriberPast = []subscriber.Event
	templatePast   = []template.Event
	campaignPast   = []campaign.Event
	importPast     = []contactimport.Event
	signingPast    = []signing.Event
	requestPast    = []privacyrequest.Event
	messagePast    = []message.Event
)

var (
	tonight = noon.Add(8 * time.Hour)

	one, two, three = domain.ID{1}, domain.ID{2}, domain.ID{3}
	ada             = domain.ID{0xad, 0xa}

	digest      = strings.Repeat("0123456789abcdef", 4)
	otherDigest = strings.Repeat("fedcba9876543210", 4)
	long        = strings.Repeat("x", 2000)

	text = personal.Of
)

// badLines are texts that no single line may be.
var badLines = map[string]string{
	"line break": "a\nb", "carriage return": "a\rBcc: x@example.org", "NUL": "a\x00b", "not UTF-8": "a\xffb",
	"replaced": "a\ufffdb", "DEL": "a\x7fb", "next line": "a\u0085b", "line separator": "a\u2028b",
}
