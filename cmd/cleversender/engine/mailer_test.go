package engine

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/template"
)

// A campaign of which no message could be made is refused before it starts.
func TestFreezeRefuses(t *testing.T) {
	for code, spoil := range map[string]func(*campaign.Settings, *template.Content){
		"bad_from_email":   func(s *campaign.Settings, _ *template.Content) { s.FromEmail = "news@exa mple" },
		"bad_header":       func(s *campaign.Settings, _ *template.Content) { s.ReplyTo = "nobody" },
		"template_invalid": func(_ *campaign.Settings, c *template.Content) { c.HTML = "{{ name" },
	} {
		s, c := settingsOf(), newsletter()
		spoil(&s, &c)
		var refused domain.Refusal
		if _, err := composing(c).Freeze(context.Background(), testAccount, s); !errors.As(err, &refused) || refused.Code != code {
			t.Errorf("%s: got %v", code, err)
		}
	}
}

// Nobody gets a message in the name of a list that the campaign does not go to.
func TestMessageOfAnotherList(t *testing.T) {
	m, err := compiled(newsletter(), settingsOf())
	if err != nil {
		t.Fatal(err)
	}
	r := reader()
	r.List = domain.ID{9}
	if _, err := m.Message(context.Background(), nil, r); !errors.Is(err, errNoList) {
		t.Errorf("got %v", err)
	}
}

// What was refused leaves nothing in the messages after it.
func TestMessageAfterARefusal(t *testing.T) {
	m, err := compiled(newsletter(), settingsOf())
	if err != nil {
		t.Fatal(err)
	}
	want, err := m.Message(context.Background(), nil, reader())
	if err != nil {
		t.Fatal(err)
	}
	for _, spoil := range []func(*sending.Recipient){
		func(r *sending.Recipient) { r.Name = "a\r\nBcc: x@example.org" },
		func(r *sending.Recipient) { r.Email = "nobody" },
		func(r *sending.Recipient) { r.List = domain.ID{9} },
		func(r *sending.Recipient) { r.Name = strings.Repeat("<", 1<<20) },
	} {
		r := reader()
		spoil(&r)
		if _, err := m.Message(context.Background(), nil, r); err == nil {
			t.Error("not refused")
		}
		got, err := m.Message(context.Background(), nil, reader())
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(err, diff)
		}
	}
}

// A message is the same whoever else has one made at that moment, and whenever
// it is made again: the Message-ID, too.
func TestMessagesDoNotMix(t *testing.T) {
	m, err := compiled(newsletter(), settingsOf())
	if err != nil {
		t.Fatal(err)
	}
	message := func(i int, dst []byte) []byte {
		r := reader()
		r.Ordinal, r.Name = i, strings.Repeat("n", i)
		r.OpenTracking, r.ClickTracking = i%2 == 0, i%3 == 0
		made, err := m.Message(context.Background(), dst[:0], r)
		if err != nil {
			t.Error(err)
		}
		return made.Data
	}
	var at sync.WaitGroup
	for i := range 8 {
		at.Go(func() {
			want, got := string(message(i, nil)), []byte(nil)
			for range 50 {
				got = message(i, got)
				if diff := cmp.Diff(want, string(got)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	at.Wait()
}
