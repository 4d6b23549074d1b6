package commands_test

import (
	"time"

	"pgregory.net/rapid"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/contactimport"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/privacyrequest"
	"github.com/cleversender/cleversender/domain/signing"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/domain/template"
)

// Values are drawn from few, so that commands meet: the same twice, something
// near, something wrong.

func of[T any](t *rapid.T, label string, values ...T) T {
	return rapid.SampledFrom(values).Draw(t, label)
}

func anID(t *rapid.T) domain.ID  { return of(t, "id", one, two, domain.ID{}) }
func aName(t *rapid.T) string    { return of(t, "name", "May", "May", "June", "", "a\nb", long) }
func aDigest(t *rapid.T) string  { return of(t, "digest", digest, digest, otherDigest, "x") }
func aNumber(t *rapid.T) int     { return rapid.IntRange(-1, 4).Draw(t, "number") }
func aTime(t *rapid.T) time.Time { return noon.Add(time.Duration(aNumber(t)) * time.Hour) }

// oneOf draws one of the commands that these ways lead to.
func oneOf[S, E any](ways ...func(*rapid.T) Command[S, E]) *rapid.Generator[Command[S, E]] {
	return rapid.Custom(func(t *rapid.T) Command[S, E] {
		return ways[rapid.IntRange(0, len(ways)-1).Draw(t, "which")](t)
	})
}

type accountCommand = Command[account.Account, account.Event]

func anyAccountCommand() *rapid.Generator[accountCommand] {
	return oneOf(
		func(t *rapid.T) accountCommand { return CreateAccount{one, aName(t)} },
		func(t *rapid.T) accountCommand {
			scopes := of(t, "scopes", account.Scopes, account.Scopes[:1], nil, []account.Scope{"root"})
			return IssueToken{AccountID: one, Token: anID(t), Hash: aDigest(t), Label: aName(t), Scopes: scopes}
		},
		func(t *rapid.T) accountCommand { return RevokeToken{one, anID(t)} },
	)
}

type listCommand = Command[list.List, list.Event]

func anyListCommand() *rapid.Generator[listCommand] {
	return oneOf(
		func(t *rapid.T) listCommand {
			return CreateList{one, aName(t), rapid.Bool().Draw(t, "double")}
		},
		func(t *rapid.T) listCommand { return ArchiveList{one} },
	)
}

type subscriberCommand = Command[subscriber.Subscriber, subscriber.Event]

func anySubscriberCommand() *rapid.Generator[subscriberCommand] {
	email := func(t *rapid.T) personal.Text {
		return of(t, "email", mail, mail, mail, text("bob@example.org"), text("x"))
	}
	called := func(t *rapid.T) personal.Text { return of(t, "name", name, text("Countess"), text(""), text("a\nb")) }
	facts := func(t *rapid.T) personal.Fields {
		return personal.FieldsOf(of(t, "attributes", map[string]string{"city": "London"}, nil, map[string]string{"city": "", "plan": "pro"}))
	}
	source := func(t *rapid.T) subscriber.Source {
		return of(t, "source", subscriber.SourceAPI, subscriber.SourceForm, "telepathy")
	}
	purpose := func(t *rapid.T) consent.Purpose {
		return of(t, "purpose", consent.Mailing, consent.Mailing, consent.OpenTracking, "fun")
	}
	onList := func(t *rapid.T) domain.ID { return of(t, "list", one, one, two, domain.ID{}) }
	by := func(t *rapid.T) consent.Method { return of(t, "by", append(consent.Methods, "telepathy")...) }
	remark := func(t *rapid.T) personal.Text { return of(t, "note", text("by phone"), text(""), text(long)) }
	hold := func(t *rapid.T) subscriber.Hold { return of(t, "reason", append(subscriber.Suppressions, "whim")...) }
	letter := func(t *rapid.T) bounce.Letter {
		return of(t, "letter", bounce.Letter{Campaign: one}, bounce.Letter{Campaign: one, Ordinal: 7}, bounce.Letter{Campaign: two}, bounce.Letter{Message: one}, bounce.Letter{})
	}
	return oneOf(
		func(t *rapid.T) subscriberCommand {
			return AddSubscriber{Person: ada, Email: email(t), Name: called(t), Attributes: facts(t), List: onList(t), Source: source(t)}
		},
		func(t *rapid.T) subscriberCommand {
			purposes := of(t, "purposes", both, both[:1], both[1:], nil)
			return ImportSubscriber{Person: ada, Email: email(t), Name: called(t), Attributes: facts(t), List: onList(t), Purposes: purposes, Import: three, Row: 1}
		},
		func(t *rapid.T) subscriberCommand {
			return RectifySubscriber{Person: ada, Email: email(t), Name: called(t), Attributes: facts(t), Source: source(t)}
		},
		func(t *rapid.T) subscriberCommand { return RequestConsent{ada, purpose(t), onList(t), by(t)} },
		func(t *rapid.T) subscriberCommand {
			return GiveConsent{Person: ada, Purpose: purpose(t), List: onList(t), Method: by(t), IP: ip}
		},
		func(t *rapid.T) subscriberCommand {
			return ConfirmConsent{Person: ada, Purpose: purpose(t), List: onList(t), Method: by(t)}
		},
		func(t *rapid.T) subscriberCommand {
			return RevokeConsent{Person: ada, Purpose: purpose(t), List: onList(t), Method: by(t), Client: client}
		},
		func(t *rapid.T) subscriberCommand {
			return SuppressSubscriber{Person: ada, Reason: hold(t), Note: remark(t)}
		},
		func(t *rapid.T) subscriberCommand {
			return UnsuppressSubscriber{Person: ada, Reason: of(t, "settled", hold(t), ""), Note: remark(t)}
		},
		func(t *rapid.T) subscriberCommand { return RestrictSubscriber{ada, domain.ID{}, remark(t)} },
		func(t *rapid.T) subscriberCommand {
			return LiftRestriction{Person: ada, InformedAt: aTime(t), Note: remark(t), Now: aTime(t)}
		},
		func(t *rapid.T) subscriberCommand {
			return RecordBounce{
				Person: ada, Letter: letter(t), Kind: of(t, "kind", append(bounce.Kinds, "whim")...), Status: aName(t),
				Source: of(t, "heard", bounce.SMTP, bounce.Intake, "telepathy"), At: aTime(t), Diagnostic: remark(t),
				Policy: bounce.Policy{Softs: aNumber(t), Within: 2 * time.Hour},
			}
		},
		func(t *rapid.T) subscriberCommand {
			return RecordComplaint{ada, letter(t), aName(t), of(t, "heard", bounce.SES, "telepathy"), aTime(t)}
		},
		func(t *rapid.T) subscriberCommand { return ObjectSubscriber{Person: ada, Method: by(t), IP: ip} },
		func(t *rapid.T) subscriberCommand {
			return WithdrawObjection{Person: ada, Method: by(t), Note: remark(t), IP: ip}
		},
		func(t *rapid.T) subscriberCommand { return AddAddressee{Person: ada, Email: email(t)} },
		func(t *rapid.T) subscriberCommand {
			return EraseSubscriber{ada, of(t, "request", domain.ID{}, domain.ID{}, domain.ID{}, domain.ID{}, domain.ID{}, three)}
		},
	)
}

type templateCommand = Command[template.Template, template.Event]

func anyTemplateCommand() *rapid.Generator[templateCommand] {
	content := func(t *rapid.T) template.Content {
		return of(t, "content", hello, bye, template.Content{}, template.Content{Subject: "a\nb", Text: "x"})
	}
	return oneOf(
		func(t *rapid.T) templateCommand { return CreateTemplate{one, aName(t), content(t)} },
		func(t *rapid.T) templateCommand { return EditTemplate{one, aName(t), content(t)} },
	)
}

type signingCommand = Command[signing.Domain, signing.Event]

func anySigningCommand() *rapid.Generator[signingCommand] {
	selector := func(t *rapid.T) string { return of(t, "selector", "s1", "s2", "s3", "s4", "s5", "S1", "") }
	return oneOf(
		func(t *rapid.T) signingCommand {
			name := of(t, "domain", "books.example", "books.example", "example")
			algorithm := of(t, "algorithm", signing.RSA, signing.RSA, signing.Ed25519, "dsa")
			return CreateDKIMKey{one, name, selector(t), algorithm, of(t, "key", "TUlJ", "TUlJ", "TUlK", "x")}
		},
		func(t *rapid.T) signingCommand { return ActivateDKIMKey{one, selector(t)} },
		func(t *rapid.T) signingCommand { return RetireDKIMKey{one, selector(t)} },
	)
}

type campaignCommand = Command[campaign.Campaign, campaign.Event]

func anyCampaignCommand() *rapid.Generator[campaignCommand] {
	choice := func(t *rapid.T) campaign.Settings {
		return of(t, "settings", may, may, june, campaign.Settings{Name: "bare"}, campaign.Settings{})
	}
	findings := func(t *rapid.T) []string {
		return of(t, "findings", nil, nil, []string{}, []string{"spf_missing"}, []string{"spf_missing", "no_unsubscribe"}, []string{"No!"})
	}
	return oneOf(
		func(t *rapid.T) campaignCommand { return DraftCampaign{one, choice(t)} },
		func(t *rapid.T) campaignCommand { return EditCampaign{one, choice(t)} },
		func(t *rapid.T) campaignCommand {
			return ScheduleCampaign{Campaign: one, StartAt: aTime(t), Now: aTime(t), Blocked: findings(t), Force: findings(t)}
		},
		func(t *rapid.T) campaignCommand { return UnscheduleCampaign{one, aName(t)} },
		func(t *rapid.T) campaignCommand {
			links := of(t, "links", frozen.Links, nil, []string{})
			content := campaign.Content{TemplateRevision: uint64(aNumber(t) + 1), SHA256: aDigest(t), Links: links}
			return StartCampaign{Campaign: one, Content: content, Blocked: findings(t), Force: findings(t)}
		},
		func(t *rapid.T) campaignCommand {
			n := aNumber(t)
			return FreezeAudience{Campaign: one, Position: event.Position(aNumber(t) + 1), Recipients: n, Segments: n, SHA256: aDigest(t)}
		},
		func(t *rapid.T) campaignCommand { return PauseCampaign{one, aName(t)} },
		func(t *rapid.T) campaignCommand { return ResumeCampaign{one} },
		func(t *rapid.T) campaignCommand { return ThrottleCampaign{one, aNumber(t) - 1} },
		func(t *rapid.T) campaignCommand { return ResendUnknown{one} },
		func(t *rapid.T) campaignCommand {
			return of[campaignCommand](t, "end", CancelCampaign{one}, PauseCampaign{one, "typo"}, finish, finish, freeze)
		},
		func(t *rapid.T) campaignCommand {
			return FinishCampaign{Campaign: one, Sent: aNumber(t), Unknown: max(0, aNumber(t)-2)}
		},
	)
}

type importCommand = Command[contactimport.Import, contactimport.Event]

func anyImportCommand() *rapid.Generator[importCommand] {
	tally := func(t *rapid.T) contactimport.Counts { return contactimport.Counts{Added: aNumber(t)} }
	return oneOf(
		func(t *rapid.T) importCommand {
			return StartImport{Import: three, List: anID(t), Purposes: of(t, "purposes", both, nil), Source: aName(t)}
		},
		func(t *rapid.T) importCommand {
			var rows []contactimport.RejectedRow
			for _, line := range rapid.SliceOfN(rapid.IntRange(0, 4), 0, 3).Draw(t, "lines") {
				rows = append(rows, contactimport.RejectedRow{Line: line, Code: aName(t)})
			}
			return RejectRows{three, rows}
		},
		func(t *rapid.T) importCommand {
			return ProgressImport{Import: three, Line: aNumber(t), Bytes: int64(aNumber(t)), SHA256: aDigest(t), Counts: tally(t)}
		},
		func(t *rapid.T) importCommand {
			return FinishImport{Import: three, Line: aNumber(t), Bytes: int64(aNumber(t)), SHA256: aDigest(t), Counts: tally(t)}
		},
		func(t *rapid.T) importCommand {
			return FailImport{Import: three, Line: aNumber(t), Code: aName(t), Counts: tally(t)}
		},
	)
}

type requestCommand = Command[privacyrequest.Request, privacyrequest.Event]

func anyRequestCommand() *rapid.Generator[requestCommand] {
	return oneOf(
		func(t *rapid.T) requestCommand {
			kind := of(t, "kind", append(privacyrequest.Kinds, "party")...)
			return OpenRequest{Request: one, Person: anID(t), Kind: kind, Now: aTime(t)}
		},
		func(t *rapid.T) requestCommand {
			return FulfilAccess{Request: one, Person: ada, Position: 7, Events: aNumber(t), SHA256: aDigest(t)}
		},
		func(t *rapid.T) requestCommand {
			return FulfilErasure{Request: one, Person: ada, Redaction: anID(t), Keys: aNumber(t)}
		},
		func(t *rapid.T) requestCommand { return FulfilHold{one, ada, anID(t)} },
	)
}

type segmentCommand = Command[delivery.Segment, delivery.Event]

func anySegmentCommand() *rapid.Generator[segmentCommand] {
	people := delivery.Subjects{one, two}
	ordinal := func(t *rapid.T) int { return rapid.IntRange(0, 2).Draw(t, "ordinal") }
	person := func(n int) domain.ID { return append(people, three)[n] }
	return oneOf(
		func(t *rapid.T) segmentCommand {
			return PlanSegment{Campaign: three, Subjects: of(t, "people", people, people[:1], nil)}
		},
		func(t *rapid.T) segmentCommand {
			return ClaimSegment{Campaign: three, Worker: anID(t), Until: aTime(t), Now: aTime(t)}
		},
		func(t *rapid.T) segmentCommand { return ReopenSegment{Campaign: three, Resend: aNumber(t)} },
		func(t *rapid.T) segmentCommand {
			n := ordinal(t)
			return IntendSends{Campaign: three, Worker: anID(t), Sends: []IntendedSend{{Recipient: delivery.Recipient{Person: person(n), Ordinal: n}, Consent: 5}}}
		},
		func(t *rapid.T) segmentCommand {
			n := ordinal(t)
			return WithholdSends{Campaign: three, Worker: anID(t), Sends: []delivery.Withheld{{Person: person(n), Campaign: three, Ordinal: n, Reason: delivery.Revoked}}}
		},
		func(t *rapid.T) segmentCommand {
			n := ordinal(t)
			return RecordResults{Campaign: three, Worker: anID(t), Results: []delivery.Result{of(t, "result",
				delivery.Result{Recipient: delivery.Recipient{Person: person(n), Ordinal: n}, To: delivery.Sent, Code: 250},
				delivery.Result{Recipient: delivery.Recipient{Person: person(n), Ordinal: n}, To: delivery.Again, Code: 450},
				delivery.Result{Recipient: delivery.Recipient{Person: person(n), Ordinal: n}, To: delivery.Undelivered, Code: 550, Reason: delivery.Rejected},
			)}}
		},
	)
}

type messageCommand = Command[message.Message, message.Event]

func anyMessageCommand() *rapid.Generator[messageCommand] {
	return oneOf(
		func(t *rapid.T) messageCommand {
			return RequestMessage{one, ada, of(t, "request", receipt, receipt, trial, message.Requested{})}
		},
		func(t *rapid.T) messageCommand { return IntendMessage{one, ada, anID(t)} },
		func(t *rapid.T) messageCommand {
			return RecordMessageResult{one, ada, anID(t), of[message.Event](t, "result",
				message.Accepted{Code: 250}, message.Deferred{Code: 450, Reply: text("later")}, message.Deferred{},
				message.Failed{Code: 550, Reason: delivery.Rejected}, message.LeftInDoubt{}, message.LeftInDoubt{}, message.Intended{},
			)}
		},
		func(t *rapid.T) messageCommand {
			return WithholdMessage{one, ada, anID(t), of(t, "reason", delivery.Erased, delivery.Suppressed, delivery.Revoked)}
		},
		func(t *rapid.T) messageCommand { return ResendMessage{one, ada} },
	)
}

func anyHitCommand() *rapid.Generator[hitCommand] {
	machine := func(t *rapid.T) engagement.Machine {
		return of(t, "machine", append(engagement.Machines, "toaster")...)
	}
	return oneOf(
		func(t *rapid.T) hitCommand {
			return RecordOpen{Campaign: one, Writer: two, Person: anID(t), Ordinal: aNumber(t), Machine: machine(t), IP: ip}
		},
		func(t *rapid.T) hitCommand {
			return RecordClick{Campaign: one, Writer: two, Person: anID(t), Ordinal: aNumber(t), Link: aNumber(t), Machine: machine(t)}
		},
		func(t *rapid.T) hitCommand {
			return RecordUnsubscribe{Campaign: one, Writer: two, Person: anID(t), Ordinal: aNumber(t)}
		},
	)
}
