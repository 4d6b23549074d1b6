package desk_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/desk"
	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/privacyrequest"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// BenchmarkDesk prints what a request takes among a million people:
// go test -run - -bench Desk -benchtime 1x -timeout 20m
func BenchmarkDesk(b *testing.B) {
	h := newHouse(b)
	const total, batch = 1_000_000, 5000
	var some []domain.ID
	for at := 0; at < total; at += batch {
		addresses := make([]string, batch)
		for i := range addresses {
			addresses[i] = fmt.Sprintf("person.number%d@mail%d.example", at+i, i%1000)
		}
		reserved, err := h.keys.Reserve(ctx, h.account, addresses)
		h.must(err)
		writes := make([]eventlog.Write, batch)
		for i, r := range reserved {
			writes[i] = eventlog.Write{Stream: subscriber.Stream(r.Person), Events: []event.Draft{{
				ID: newID(), Meta: event.Meta{Account: h.account, Subject: r.Person},
				Data: subscriber.Added{Email: personal.Of(addresses[i]), Name: personal.Of("Some Body"), Source: subscriber.SourceImport, Row: at + i},
			}}}
		}
		_, errs := h.journal.AppendBulk(ctx, writes)
		for _, err := range errs {
			h.must(err)
		}
		some = append(some, reserved[batch/2].Person)
	}
	head, err := h.journal.Head(ctx)
	h.must(err)
	h.must(h.host.WaitAll(ctx, head))
	d := desk.New(h.options())
	timed := func(kind privacyrequest.Kind, people []domain.ID) (first, mean, worst time.Duration) {
		var sum time.Duration
		for i, p := range people {
			h.engage(p)
			task := h.ask(kind, p)
			start := time.Now()
			h.must(d.Fulfil(ctx, task))
			took := time.Since(start)
			if i == 0 {
				first = took
			}
			sum, worst = sum+took, max(worst, took)
		}
		return first, sum / time.Duration(len(people)), worst
	}
	f, m, w := timed(privacyrequest.Access, some[:30])
	b.Logf("access: first %v, mean %v, worst %v", f, m, w)
	f, m, w = timed(privacyrequest.Erasure, some[30:60])
	b.Logf("erasure: first %v, mean %v, worst %v", f, m, w)
}
