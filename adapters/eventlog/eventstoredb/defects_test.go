package eventstoredb_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/eventstoredb"
	"github.com/cleversender/cleversender/adapters/eventlog/eventstoredb/esdbtest"
	"github.com/cleversender/cleversender/adapters/eventlog/group"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// What the client, or the protocol, does that a log must not do, and the tests that
// this one does not:
//
//	1  an append that is refused while it is sent says EOF     TestAnAppendRefusedInMidStreamSaysWhy, TestAnAppendCutShortIsSentAgain
//	2  a client that once found no server is dead for good     TestAServerThatWasAwayIsFoundAgain
//	3  callers hang while it looks, whatever their contexts    TestNobodyWaitsLongerThanTheirContext
//	4  it does not ask for the leader                          TestTheLeaderIsAsked
//	5  it finds no server whose version is not x.y.z           TestAnyVersionWillDo
//	6  a subscription that was dropped is not begun again      TestAServerThatWasAwayIsFoundAgain, TestDropsLoseAndRepeatNothing
//	7  errors are wrapped, and their numbers text              TestErrorsAreKnownByTheirKind
//	8  credentials without TLS are left out without a word     TestCredentialsTravelInTLSOnly

// big is events of about 100 kB each.
func big(n int) []eventlog.Append {
	events := logtest.Events("big", n)
	for i := range events {
		events[i].Data = bytes.Repeat([]byte{'x'}, 100_000)
	}
	return []eventlog.Append{{Stream: "big", Events: events}}
}

func add(t *testing.T, log eventlog.Log, stream string, expect, n int) {
	t.Helper()
	events := logtest.Events(stream, expect+n)[expect:]
	if _, err := log.Append(t.Context(), eventlog.Append{Stream: stream, Expect: uint64(expect), Events: events}); err != nil {
		t.Fatal(err)
	}
}

func length(t *testing.T, log eventlog.Log, stream string) (n int) {
	t.Helper()
	for events, err := range log.ReadStream(t.Context(), stream, 0, 100) {
		if err != nil {
			t.Fatal(err)
		}
		n += len(events)
	}
	return n
}

// Defect 1: of an append that the server refuses while it is being sent, the
// client says EOF. We say why, and write nothing.
func TestAnAppendRefusedInMidStreamSaysWhy(t *testing.T) {
	c := esdbtest.Start(t, 1, esdbtest.MaxAppendSize(300_000))
	var came atomic.Int32
	c.Fail(func(call esdbtest.Call) esdbtest.Fault {
		if strings.HasSuffix(call.Method, "ppend") {
			came.Add(1)
		}
		return esdbtest.Fault{}
	})
	for _, size := range []string{"maxAppendSize=300000", "maxAppendSize=99999999"} { // as it is, and a lie
		log := open(t, strings.Replace(c.URL(), "maxAppendSize=300000", size, 1))
		for range 20 {
			if _, err := log.Append(t.Context(), big(10)[0]); !errors.Is(err, eventlog.ErrTooLarge) {
				t.Errorf("%s: error %v", size, err)
			}
		}
		if _, errs := log.AppendBulk(t.Context(), append(big(10), big(11)...)); !errors.Is(errs[0], eventlog.ErrTooLarge) {
			t.Errorf("%s: in a bulk, errors %v", size, errs)
		}
		if n := length(t, log, "big"); n > 0 {
			t.Errorf("%d events were written", n)
		}
		if n := came.Load(); size == "maxAppendSize=300000" && n > 0 {
			t.Errorf("what the server would not take came to it, %d times", n)
		}
	}
}

// Defect 1: EOF can also be a server that went away; then the same events are
// written by the next try, once.
func TestAnAppendCutShortIsSentAgain(t *testing.T) {
	c := esdbtest.Start(t, 1)
	log := open(t, c.URL())
	for stage, name := range map[esdbtest.Stage]string{esdbtest.Receives: "half way", esdbtest.Done: "done"} {
		for _, fault := range []esdbtest.Fault{{Drop: true}, {Err: status.Error(codes.Unavailable, "x")}, {Err: status.Error(codes.Internal, "x")}} {
			stream, left := fmt.Sprint(name, fault.Drop, status.Code(fault.Err)), atomic.Int32{}
			left.Store(3)
			c.Fail(func(call esdbtest.Call) esdbtest.Fault {
				if strings.HasSuffix(call.Method, "ppend") && call.Stage == stage && left.Add(-1) >= 0 {
					return fault
				}
				return esdbtest.Fault{}
			})
			add(t, log, stream, 0, 200)
			if n := length(t, log, stream); n != 200 {
				t.Errorf("%s: %d events", stream, n)
			}
		}
	}
}

// Defects 2 and 6: a client that has not found a server, once, never does
// again; a subscription that was dropped does not look for one. We outlive both.
func TestAServerThatWasAwayIsFoundAgain(t *testing.T) {
	c := esdbtest.Start(t, 1)
	away := func(log *eventstoredb.Log) {
		c.Stop(0)
		if _, err := log.Head(t.Context()); err == nil {
			t.Error("a server that is away answered")
		}
		c.Restart(t, 0)
	}
	log := open(t, c.URL()+"&maxDiscoverAttempts=1&discoveryInterval=1", eventstoredb.Patience(200*time.Millisecond))
	away(log) // nobody follows yet
	add(t, log, "s", 0, 1)
	expected := 1
	for page, err := range log.Follow(t.Context(), 0, nil, 10) {
		if err != nil {
			t.Fatal(err)
		}
		expected -= len(page.Events)
		switch {
		case expected > 0:
		case page.Events[len(page.Events)-1].Revision == 4:
			return
		default:
			expected++
			at := int(page.Events[len(page.Events)-1].Revision)
			away(log)
			add(t, log, "s", at, 1)
		}
	}
}

// Defect 3: while the client looks for a server, callers are stuck in it. With
// us each goes when its context ends.
func TestNobodyWaitsLongerThanTheirContext(t *testing.T) {
	c := esdbtest.Start(t, 1)
	log := open(t, c.URL())
	c.Fail(func(call esdbtest.Call) esdbtest.Fault {
		if call.Method == "GetSupportedMethods" || call.Method == "BatchAppend" {
			return esdbtest.Fault{Delay: time.Hour}
		}
		return esdbtest.Fault{Drop: true}
	})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			a := eventlog.Append{Stream: fmt.Sprint(i), Events: logtest.Events("x", 1)}
			if _, err := log.Append(ctx, a); !errors.Is(err, context.Canceled) {
				t.Errorf("append: %v", err)
			}
			if _, errs := log.AppendBulk(ctx, []eventlog.Append{a, {Stream: "y", Events: a.Events}}); !errors.Is(errs[0], context.Canceled) {
				t.Errorf("bulk: %v", errs)
			}
			if _, err := log.Head(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("head: %v", err)
			}
		})
	}
	time.Sleep(20 * time.Millisecond) // most of them are waiting
	cancel()
	wg.Wait()
	c.Fail(nil)
	c.Drop()
}

// Defect 4: the client never asks for the leader. We do: what is acknowledged
// was the leader's, and so is every answer.
func TestTheLeaderIsAsked(t *testing.T) {
	c := esdbtest.Start(t, 3)
	c.Lead(2)
	var strayed atomic.Int32
	c.Fail(func(call esdbtest.Call) esdbtest.Fault {
		if call.Node != 2 && (call.Stage == esdbtest.Done || call.Stage == esdbtest.Sends) {
			strayed.Add(1)
		}
		return esdbtest.Fault{}
	})
	log := open(t, c.Only(0)) // by a follower that knows the leader
	add(t, log, "s", 0, 2)
	log.AppendBulk(t.Context(), []eventlog.Append{{Stream: "a", Events: logtest.Events("a", 1)}, {Stream: "b", Events: logtest.Events("b", 1)}})
	if n := length(t, log, "s") + length(t, log, "a") + length(t, log, "b"); n != 4 {
		t.Errorf("%d events", n)
	}
	if n := strayed.Load(); n > 0 {
		t.Errorf("%d answers were not the leader's", n)
	}
	c.Fail(nil)
	c.Lead(1) // and the bulk's connection stays as it is
	add(t, log, "s", 2, 1)
	_, errs := log.AppendBulk(t.Context(), []eventlog.Append{{Stream: "c", Events: logtest.Events("c", 1)}, {Stream: "d", Events: logtest.Events("d", 1)}})
	if err := errors.Join(errs...); err != nil {
		t.Errorf("under another leader: %v", err)
	}
}

// Defect 5: the client finds no server whose version is not x.y.z.
func TestAnyVersionWillDo(t *testing.T) {
	for _, version := range []string{"24.10.5", "26.1.0-prerelease", "26.1", "v26.1.x", "", "oss-nightly", "1.2.3.4.5", "99999999999999999999.0.0"} {
		c := esdbtest.Start(t, 1)
		c.Say(version)
		log := open(t, c.URL())
		add(t, log, "s", 0, 1)
		if n := length(t, log, "s"); n != 1 {
			t.Errorf("version %q: %d events", version, n)
		}
	}
}

// Defect 7: what the client says of a stream that is longer, shorter or gone
// lies under wrapping, and the numbers are text. We know it by its kind, at once,
// and learn from the stream itself how much of an append it holds.
func TestErrorsAreKnownByTheirKind(t *testing.T) {
	c := esdbtest.Start(t, 1)
	log := open(t, c.URL(), eventstoredb.Patience(time.Hour)) // whoever tries again does not come back
	server := client(t, c)
	a, b := logtest.Events("a", 6), logtest.Events("b", 1)
	add := func(bulk bool, stream string, expect int, events []event.Stored) error {
		it := eventlog.Append{Stream: stream, Expect: uint64(expect), Events: events}
		if !bulk {
			_, err := log.Append(t.Context(), it)
			return err
		}
		_, errs := log.AppendBulk(t.Context(), []eventlog.Append{it, {Stream: "other " + stream, Events: logtest.Events(stream, 1)}})
		return errs[0]
	}
	for _, bulk := range []bool{false, true} {
		stream, gone := fmt.Sprint("s", bulk), fmt.Sprint("gone", bulk)
		for i, step := range []struct {
			stream string
			expect int
			events []event.Stored
			want   error
		}{
			{stream, 3, b, domain.ErrConflict}, // there is none
			{stream, 0, a[:2], nil},
			{stream, 0, b, domain.ErrConflict}, // longer
			{stream, 3, b, domain.ErrConflict}, // shorter
			{stream, 0, a, nil},                // two of six are there
			{stream, 1, a, domain.ErrConflict},
			{gone, 0, a[:1], nil},
		} {
			if err := add(bulk, step.stream, step.expect, slices.Clone(step.events)); !errors.Is(err, step.want) {
				t.Errorf("bulk %v, step %d: error %v, want %v", bulk, i, err, step.want)
			}
		}
		if n := length(t, log, stream); n != 6 {
			t.Errorf("bulk %v: %d events", bulk, n)
		}
		if _, err := server.TombstoneStream(t.Context(), gone, esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
			t.Fatal(err)
		}
		if err := add(bulk, gone, 1, slices.Clone(b)); err == nil || errors.Is(err, domain.ErrConflict) || !strings.Contains(err.Error(), "deleted") {
			t.Errorf("bulk %v, a stream that somebody deleted: error %v", bulk, err)
		}
		for _, err := range log.ReadStream(t.Context(), gone, 0, 10) {
			if err == nil || !strings.Contains(err.Error(), "deleted") {
				t.Errorf("a stream that somebody deleted is read: error %v", err)
			}
		}
	}
}

// client is the client by itself, as an operator might use it.
func client(t *testing.T, c *esdbtest.Cluster) *esdb.Client {
	t.Helper()
	settings, err := esdb.ParseConnectionString(c.Only(0))
	if err != nil {
		t.Fatal(err)
	}
	settings.Logger = esdb.NoopLogging()
	it, err := esdb.NewClient(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = it.Close() })
	return it
}

// A bulk is sent in messages that any server takes, however large its appends.
func TestLargeAppendsOfABulkTravelInParts(t *testing.T) {
	c := esdbtest.Start(t, 1, esdbtest.MaxAppendSize(eventstoredb.MaxAppendSize), esdbtest.MaxMessageSize(512<<10))
	log := open(t, c.URL())
	as := append(big(10), eventlog.Append{Stream: "many", Events: logtest.Events("many", 5000)})
	if _, errs := log.AppendBulk(t.Context(), as); errors.Join(errs...) != nil {
		t.Fatal(errs)
	}
	if n := length(t, log, "big") + length(t, log, "many"); n != 5010 {
		t.Errorf("%d events", n)
	}
}

// Who goes on from where the log has no event is told so, and does not wait
// for what cannot come.
func TestAPositionThatTheLogNeverGaveIsRefused(t *testing.T) {
	c := esdbtest.Start(t, 1)
	log := open(t, c.URL(), eventstoredb.KeepTail(1), eventstoredb.Patience(time.Hour))
	first, err := log.Append(t.Context(), eventlog.Append{Stream: "s", Events: logtest.Events("s", 1)})
	if err != nil {
		t.Fatal(err)
	}
	add(t, log, "t", 0, 100)
	for _, err := range open(t, c.URL()).Follow(t.Context(), first.Position-1, nil, 10) {
		if !errors.Is(err, eventlog.ErrNoPosition) {
			t.Errorf("error %v", err)
		}
		break
	}
}

// A filter by type is exact, though the server compares prefixes.
func TestAFilterIsExact(t *testing.T) {
	log := open(t, esdbtest.Start(t, 1).URL(), eventstoredb.KeepTail(1))
	add(t, log, "s", 0, 100)
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for page, err := range log.Follow(t.Context(), 0, []string{"thing"}, 10) {
		if err != nil || len(page.Events) > 0 {
			t.Fatalf("%d events, error %v", len(page.Events), err)
		}
		if page.Next >= head {
			break
		}
	}
}

// A log that is closed lets go of every connection.
func TestClosingLeavesNoConnection(t *testing.T) {
	c := esdbtest.Start(t, 3)
	log := open(t, c.URL())
	add(t, log, "s", 0, 1)
	log.AppendBulk(t.Context(), []eventlog.Append{{Stream: "a", Events: logtest.Events("a", 1)}, {Stream: "b", Events: logtest.Events("b", 1)}})
	for range log.Follow(t.Context(), 0, nil, 10) {
		break
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(30 * time.Second); c.Connections() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%d connections are left", c.Connections())
		}
	}
}

// Every append is told of, with what came of it: the engine's metrics count them.
func TestAppendsAreCounted(t *testing.T) {
	var sum group.Commit
	log := open(t, esdbtest.Start(t, 1).URL(), eventstoredb.OnCommit(func(c group.Commit) {
		if c.Took <= 0 {
			t.Errorf("%+v", c)
		}
		sum.Appends, sum.Events, sum.Refused = sum.Appends+c.Appends, sum.Events+c.Events, sum.Refused+c.Refused
	}))
	add(t, log, "s", 0, 3)
	if _, err := log.Append(t.Context(), eventlog.Append{Stream: "s", Events: logtest.Events("x", 2)}); !errors.Is(err, domain.ErrConflict) {
		t.Fatal(err)
	}
	if want := (group.Commit{Appends: 1, Events: 3, Refused: 1}); sum != want {
		t.Errorf("%+v, want %+v", sum, want)
	}
}

// Defect 8: credentials without TLS would be left out without a word. They are
// refused, and the refusal does not tell them.
func TestCredentialsTravelInTLSOnly(t *testing.T) {
	c := esdbtest.Start(t, 1, esdbtest.TLS(), esdbtest.Credentials("engine", "hunter2"))
	_, err := eventstoredb.Open(t.Context(), strings.Replace(c.URL(), "tls=true", "tls=false", 1))
	var refusal domain.Refusal
	if !errors.As(err, &refusal) || refusal.Code != "eventstoredb_credentials_need_tls" || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
	log := open(t, c.URL())
	add(t, log, "s", 0, 1)
	if _, errs := log.AppendBulk(t.Context(), []eventlog.Append{{Stream: "a", Events: logtest.Events("a", 1)}, {Stream: "b", Events: logtest.Events("b", 1)}}); errs[0] != nil || errs[1] != nil {
		t.Error(errs)
	}
	for what, url := range map[string]string{
		"a wrong password": strings.Replace(c.URL(), "hunter2", "hunter3", 1),
		"no credentials":   strings.Replace(c.URL(), "engine:hunter2@", "", 1),
	} { // at once: no patience makes them right
		if _, err := eventstoredb.Open(t.Context(), url, eventstoredb.Patience(time.Hour)); err == nil || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: error %v", what, err)
		}
	}
}

// What is no URL of EventStoreDB is refused, without repeating it.
func TestBadURLs(t *testing.T) {
	for _, url := range []string{"", "esdb://", "http://secret@host", "esdb://user:secret@host/path", "esdb://host?tls=maybe", "esdb://host:secret?x=1", "esdb://host?maxAppendSize=secret", "esdb://host?maxAppendSize=0", "esdb://host?%zz=secret"} {
		_, err := eventstoredb.Open(t.Context(), url)
		if !errors.Is(err, eventstoredb.ErrURL) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v", url, err)
		}
	}
}
