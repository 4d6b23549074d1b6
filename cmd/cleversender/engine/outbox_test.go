package engine

import (
	"errors"
	"testing"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/domain/template"
)

// opened is an open folder with an account and a template.
type opened struct {
	*Engine
	t        *testing.T
	account  domain.ID
	template domain.ID
}

func openFolder(t *testing.T) *opened {
	t.Helper()
	o := Options{Dir: t.TempDir() + "/data", Idle: true}
	account, _, err := Init(t.Context(), o, "Harbour Books")
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(t.Context()) })
	made := &opened{e, t, account, NewID()}
	made.handle(commands.CreateTemplate{Template: made.template, Name: "Receipt", Content: template.Content{Subject: "Order", Text: "{{ name }}"}})
	return made
}

func (o *opened) handle(c commands.Command[template.Template, template.Event]) {
	o.t.Helper()
	if _, err := commands.Handle(o.t.Context(), o.Journal, o.request(), c); err != nil {
		o.t.Fatal(err)
	}
}

func (o *opened) request() commands.Request { return commands.Request{ID: NewID(), Account: o.account} }

func (o *opened) ask(id domain.ID, to string, change func(*message.Requested)) (commands.Done, error) {
	m := message.Requested{Kind: message.Transactional, Template: o.template, FromEmail: "shop@books.example", To: personal.Of(to)}
	if change != nil {
		change(&m)
	}
	return o.requestMessage(o.t.Context(), o.request(), id, m)
}

// The owner of an address is one person, however it is spelled, and held from
// the first message on.
func TestAddresseeIsAPerson(t *testing.T) {
	o := openFolder(t)
	var people []domain.ID
	for _, to := range []string{"Zoe@Example.org", "zoe@example.org", "bob@example.org"} {
		id := NewID()
		if _, err := o.ask(id, to, nil); err != nil {
			t.Fatal(err)
		}
		past, err := o.Journal.Load(t.Context(), message.Stream(id))
		if err != nil || len(past) != 1 {
			t.Fatal(past, err)
		}
		people = append(people, past[0].Meta.Subject)
	}
	if people[0] != people[1] || people[0] == people[2] {
		t.Errorf("people %v", people)
	}
	past, err := o.Journal.Load(t.Context(), subscriber.Stream(people[0]))
	if err != nil || len(past) != 1 || past[0].Data.(subscriber.Added).Source != subscriber.SourceMessage {
		t.Errorf("%+v, %v", past, err)
	}
}

// A request sent again does nothing, whatever the template has become; sent
// for somebody else, or with other words, it is refused.
func TestMessageAskedAgain(t *testing.T) {
	o, id := openFolder(t), NewID()
	first, err := o.ask(id, "zoe@example.org", nil)
	if err != nil || first.Events != 1 {
		t.Fatal(first, err)
	}
	o.handle(commands.EditTemplate{Template: o.template, Name: "Receipt", Content: template.Content{Subject: "Other", Text: "{{ name"}})
	if again, err := o.ask(id, "zoe@example.org", nil); err != nil || again.Events != 0 {
		t.Errorf("asked again: %+v, %v", again, err)
	}
	var refused domain.Refusal
	if _, err := o.ask(id, "bob@example.org", nil); !errors.As(err, &refused) || refused.Code != "idempotency_key_reused" {
		t.Errorf("for somebody else: %v", err)
	}
	other := func(m *message.Requested) { m.FromName = "Others" }
	if _, err := o.ask(id, "zoe@example.org", other); !errors.As(err, &refused) || refused.Code != "already_exists" {
		t.Errorf("with other words: %v", err)
	}
}

// Of a message that is refused nothing is recorded: not even its addressee.
func TestRefusedMessageLeavesNothing(t *testing.T) {
	o := openFolder(t)
	before, err := o.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*message.Requested){
		"another's template": func(m *message.Requested) { m.Template = NewID() },
		"no sender":          func(m *message.Requested) { m.FromEmail = "" },
		"a bad name":         func(m *message.Requested) { m.Name = personal.Of("a\u2028b") },
		"too much": func(m *message.Requested) {
			m.Variables = personal.FieldsOf(map[string]string{"x": string(make([]byte, 17<<10))})
		},
		"no address": func(m *message.Requested) { m.To = personal.Of("zoe") },
	} {
		var refused domain.Refusal
		if _, err := o.ask(NewID(), "zoe@example.org", change); !errors.As(err, &refused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	after, err := o.Position(t.Context())
	_, found, err2 := o.Keys.Find(t.Context(), o.account, "zoe@example.org")
	if after != before || found || err != nil || err2 != nil {
		t.Errorf("%d events more, known %t: %v %v", after-before, found, err, err2)
	}
}
