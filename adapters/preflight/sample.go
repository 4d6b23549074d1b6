package preflight

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/audience"
)

const (
	sampled = 1000 // members that are looked at: who has been held longest
	written = 100  // messages that are made, for the first of those who may be mailed
)

// Audience is who may be mailed.
type Audience interface {
	// Current returns when the view holds all that the log held at the call.
	Current(ctx context.Context) error
	Lists(ctx context.Context, account domain.ID, ids []domain.ID) ([]audience.List, error)
	Members(ctx context.Context, account domain.ID, lists []domain.ID, after domain.ID, limit int) ([]domain.ID, error)
	Permissions(ctx context.Context, account domain.ID, lists, people []domain.ID) ([]audience.Permission, error)
}

// Person is somebody in the sample, in the clear.
type Person struct {
	ID, List                    domain.ID
	Email, Name                 string
	Attributes                  map[string]string
	OpenTracking, ClickTracking bool
}

// value is a variable as liquid.Unguarded names it.
func (p *Person) value(variable string) string {
	switch key, isAttribute := strings.CutPrefix(variable, "attributes."); {
	case isAttribute:
		return p.Attributes[key]
	case variable == "name":
		return p.Name
	}
	return p.Email
}

// sample is what the messages of some recipients come to. It holds nothing of theirs.
type sample struct {
	people    int            // who may be mailed
	missing   map[string]int // variable: people who have none
	made      int            // messages
	refused   int            // people for whom none can be made
	why       error          // the first refusal
	html      int            // messages with an HTML part
	largest   int            // octets of HTML, as it leaves
	longest   int            // characters of a subject
	noSubject int
	noText    int
	noWayOut  int // messages whose body holds no way to unsubscribe
	silent    int // images without a text in their place, in one message at most
	links     *links
}

// look takes a sample of the audience and makes their messages.
func (c *Checker) look(ctx context.Context, account domain.ID, f *facts) error {
	people, err := c.people(ctx, account, f.settings.Lists)
	if err != nil {
		return err
	}
	s := &f.sample
	s.people, s.missing, s.links = len(people), map[string]int{}, newLinks(f.letter.HTML)
	for i := range people {
		for _, v := range f.letter.Variables {
			if strings.TrimSpace(people[i].value(v)) == "" {
				s.missing[v]++
			}
		}
	}
	if len(people) == 0 && len(f.settings.Lists) > 0 { // somebody made up, of whom nothing is known
		people = []Person{{List: f.settings.Lists[0], Email: "somebody@example.org"}}
	}
	for _, p := range people[:min(len(people), written)] {
		if err := s.message(f.letter, p); err != nil {
			return err
		}
	}
	return nil
}

// message makes one as it would leave, and one with its links as they were
// written.
func (s *sample) message(l Letter, p Person) error {
	m, err := l.Render(p, true)
	var refused domain.Refusal
	switch {
	case errors.As(err, &refused):
		if s.refused++; s.why == nil {
			s.why = refused
		}
		return nil
	case err != nil:
		return err
	}
	s.made++
	s.largest = max(s.largest, len(m.HTML))
	if m, err = l.Render(p, false); err != nil {
		return err
	}
	s.longest = max(s.longest, utf8.RuneCountInString(m.Subject))
	count(&s.noSubject, m.Subject == "")
	count(&s.noText, strings.TrimSpace(m.Text) == "")
	wayOut := strings.Contains(m.Text, m.UnsubscribeURL)
	if m.HTML != "" {
		s.html++
		wayOut = false
		silent := read(m.HTML, func(href string) {
			if href == m.UnsubscribeURL {
				wayOut = true
				return
			}
			s.links.add(href)
		})
		s.silent = max(s.silent, silent)
	}
	count(&s.noWayOut, !wayOut)
	return nil
}

func count(n *int, yes bool) {
	if yes {
		*n++
	}
}

// people is the sample, less those who may not be mailed.
func (c *Checker) people(ctx context.Context, account domain.ID, lists []domain.ID) ([]Person, error) {
	ids, err := c.deps.Audience.Members(ctx, account, lists, domain.ID{}, sampled)
	if err != nil {
		return nil, err
	}
	permissions, err := c.deps.Audience.Permissions(ctx, account, lists, ids)
	if err != nil {
		return nil, err
	}
	var values []eventlog.SealedValue
	for i := range permissions {
		p := &permissions[i]
		if p.Withhold != "" {
			continue
		}
		sealed := eventlog.SealedValue{
			Account: account, Subject: ids[i], Event: p.SealedBy, Stream: subscriber.Stream(ids[i]), Class: personal.Identity,
		}
		email, name, attributes := sealed, sealed, sealed
		email.Field, email.Value = "email", &p.Email
		name.Field, name.Value = "name", &p.Name
		attributes.Field, attributes.Value = "attributes", &p.Attributes
		values = append(values, email, name, attributes)
	}
	if err := c.deps.Open(ctx, values); err != nil {
		return nil, err
	}
	var people []Person
	for i, p := range permissions {
		email, ok := p.Email.Reveal()
		if p.Withhold != "" || !ok { // the last: erased meanwhile
			continue
		}
		name, _ := p.Name.Reveal()
		attributes, _ := p.Attributes.Reveal()
		people = append(people, Person{ids[i], p.List, email, name, attributes, p.OpenTracking, p.ClickTracking})
	}
	return people, nil
}
