package engine

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/adapters/tracking"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/domain/template"
)

var (
	testAccount, testTemplate, testList = domain.ID{1}, domain.ID{2}, domain.ID{3}
	testNow                             = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
)

// past is a log of streams with one event, or with several.
type past map[string]any

func (p past) Load(_ context.Context, stream string) ([]event.Recorded, error) {
	events, many := p[stream].([]any)
	if !many && p[stream] != nil {
		events = []any{p[stream]}
	}
	var out []event.Recorded
	for _, data := range events {
		out = append(out, event.Recorded{Stream: stream, Meta: event.Meta{Account: testAccount}, Data: data})
	}
	return out, nil
}

func (past) Record(context.Context, string, uint64, []event.Draft) (event.Position, error) {
	return 0, domain.ErrConflict
}

// settingsOf is a campaign that tracks what the recipient allows.
func settingsOf() campaign.Settings {
	return campaign.Settings{
		Name: "May", Lists: []domain.ID{testList}, Template: testTemplate, FromName: "Harbour Books", FromEmail: "news@books.example",
		Tracking: campaign.Tracking{Opens: true, Clicks: true},
	}
}

func composing(c template.Content) *composer {
	signer, err := tracking.NewSigner(map[byte][]byte{1: make([]byte, 32)}, 1)
	if err != nil {
		panic(err)
	}
	log := past{
		template.Stream(testTemplate): template.Created{Content: c},
		list.Stream(testList):         list.Created{Name: "The readers' letter"},
	}
	return &composer{log: commands.Log(log), signer: signer, base: "https://mail.books.example", now: func() time.Time { return testNow },
		deliverable: func(campaign.Settings) error { return nil }}
}

func compiled(c template.Content, s campaign.Settings) (sending.Mailer, error) {
	return compiledBy(composing(c), s)
}

func compiledBy(composer *composer, s campaign.Settings) (sending.Mailer, error) {
	content, err := composer.Freeze(context.Background(), testAccount, s)
	if err != nil {
		return nil, err
	}
	return composer.Compile(context.Background(), sending.Mailing{Account: testAccount, Campaign: domain.ID{4}, Settings: s, Content: content})
}

func reader() sending.Recipient {
	return sending.Recipient{
		Person: domain.ID{5}, Ordinal: 7, List: testList, Email: "zoe@example.org", Name: "Zoë",
		Attributes: map[string]string{"city": "Łódź"}, OpenTracking: true, ClickTracking: true,
	}
}

// newsletter makes a message of 6 kB: a name, three tracked links, a pixel.
func newsletter() template.Content {
	var html, text strings.Builder
	for i := range 3 {
		n := strconv.Itoa(i)
		html.WriteString(`<tr><td style="padding:4px 32px;font-size:17px;line-height:1.6"><h2><a href="https://books.example/story/` + n +
			`">The Keeper of Skerry Light</a></h2>` + "\n<p>" + strings.Repeat("Forty years alone with a lamp, told in the entries that he did not make. ", 10) + "</p></td></tr>\n")
		text.WriteString("The Keeper of Skerry Light\n" + strings.Repeat("Forty years alone with a lamp, told in the entries he did not make.\n", 6))
	}
	return template.Content{
		Subject: "Three books for {{ name }}",
		HTML: `<html><body style="margin:0"><h1>Dear {{ name }},</h1><table>` + "\n" + html.String() +
			`</table><p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p></body></html>` + "\n",
		Text: "Dear {{ name }},\n\n" + text.String() + "\nUnsubscribe: {{ unsubscribe_url }}\n",
	}
}

// What a message of 6 kB costs, and what one condition in each part adds.
func BenchmarkMessage(b *testing.B) {
	plain := newsletter()
	condition := `{% if attributes.city %}, in {{ attributes.city }} too{% endif %}`
	conditions := template.Content{Subject: plain.Subject, HTML: condition + plain.HTML, Text: condition + plain.Text}
	for _, c := range []struct {
		name    string
		content template.Content
	}{{"plain", plain}, {"conditions", conditions}} {
		b.Run(c.name, func(b *testing.B) { benchmarkMessage(b, c.content) })
	}
}

func benchmarkMessage(b *testing.B, c template.Content) {
	mailer, err := compiled(c, settingsOf())
	if err != nil {
		b.Fatal(err)
	}
	r := reader()
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		m, err := mailer.Message(context.Background(), dst[:0], r)
		if err != nil {
			b.Fatal(err)
		}
		dst = m.Data
	}
	b.ReportMetric(float64(len(dst)), "bytes")
}
