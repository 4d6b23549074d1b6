package commands_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

// lived is a state that some run of commands led to: no test invents a past
// that could not be.
func lived[S State[S, E], E any](t *rapid.T, gen *rapid.Generator[Command[S, E]]) (s S, past []E) {
	for range rapid.SampledFrom([]int{0, 3, 30, 80}).Draw(t, "asked") {
		events, err := gen.Draw(t, "past").Decide(s)
		if err != nil {
			continue
		}
		for _, e := range events {
			s, past = s.Evolve(e), append(past, e)
		}
	}
	return s, past
}

// Whatever happened before: a command decided twice on one state says the same
// (it is pure), one that is refused records nothing, states share nothing that
// changes, the person whose stream it is is the subject, and a command that is
// sent again after it happened does nothing, on what the log gives back too.
func holds[S State[S, E], E any](t *testing.T, eachIsAFact bool, gen *rapid.Generator[Command[S, E]]) {
	rapid.Check(t, func(t *rapid.T) {
		before, past := lived(t, gen)
		cmd := gen.Draw(t, "command")
		once, err := cmd.Decide(before)
		if err != nil && len(once) > 0 {
			t.Fatalf("refused %v, and yet decided %v", err, once)
		}
		if err := subjects(cmd, once); err != nil {
			t.Fatal(err)
		}
		after, stored := before, before
		for _, e := range once {
			after, stored = after.Evolve(e), stored.Evolve(logged(t, e).(E))
		}
		if again, err2 := cmd.Decide(before); !reflect.DeepEqual(again, once) || !reflect.DeepEqual(err2, err) {
			t.Fatalf("decided %v, %v; and then %v, %v", once, err, again, err2)
		}
		if !reflect.DeepEqual(stored, after) {
			t.Fatalf("the log gives back another state: %+v, was %+v", stored, after)
		}
		other, _ := gen.Draw(t, "other").Decide(before)
		for _, e := range other {
			before = before.Evolve(e)
		}
		if want := fold(fold(*new(S), past), once); !reflect.DeepEqual(after, want) {
			t.Fatalf("another future changed this one: %+v, was %+v", after, want)
		}
		if err != nil || eachIsAFact {
			return
		}
		if twice, err := cmd.Decide(stored); err != nil || len(twice) > 0 {
			t.Fatalf("second time: %v, %v", twice, err)
		}
	})
}

// subjects says what keeps events in a person's stream from the person: without
// a subject no timeline and no access bundle would find them.
func subjects[S State[S, E], E any](cmd Command[S, E], decided []E) error {
	person, ok := strings.CutPrefix(cmd.Stream(), "subscriber-")
	if !ok {
		return nil
	}
	about, ok := cmd.(Personal)
	if !ok || about.About().IsZero() || about.About().String() != person {
		return fmt.Errorf("%T writes to the stream of a person, and has no About() that names them", cmd)
	}
	for _, d := range Drafts(Request{ID: one, Account: two}, cmd, decided, 0) {
		if d.Meta.Subject != about.About() {
			return fmt.Errorf("%T: %T is about somebody else than %T", cmd, d.Data, cmd)
		}
	}
	return nil
}

func fold[S State[S, E], E any](s S, events []E) S {
	for _, e := range events {
		s = s.Evolve(e)
	}
	return s
}

// logged is what the log gives back: sealed, encoded, decoded, opened.
func logged(t *rapid.T, e any) any {
	typ, err := catalog.All.TypeOf(e)
	if err != nil {
		t.Fatal(err)
	}
	sealed, _ := typ.Visit(e, func(_ event.Field, v personal.Value) error {
		v.Seal(func(b []byte) []byte { return append([]byte("sealed"), b...) })
		return nil
	})
	name, version, data, err := catalog.All.Encode(sealed)
	if err != nil {
		t.Fatal(err)
	}
	back, err := catalog.All.Decode(name, version, data)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := typ.Visit(back, func(_ event.Field, v personal.Value) error {
		return v.Open(func(s string) ([]byte, error) { return []byte(s[len("sealed"):]), nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// Whatever happened before, a command sent twice does what it does once.
func TestCommandsAreSafeToSendTwice(t *testing.T) {
	t.Run("account", func(t *testing.T) { holds(t, false, anyAccountCommand()) })
	t.Run("list", func(t *testing.T) { holds(t, false, anyListCommand()) })
	t.Run("subscriber", func(t *testing.T) { holds(t, false, anySubscriberCommand()) })
	t.Run("template", func(t *testing.T) { holds(t, false, anyTemplateCommand()) })
	t.Run("campaign", func(t *testing.T) { holds(t, false, anyCampaignCommand()) })
	t.Run("segment", func(t *testing.T) { holds(t, false, anySegmentCommand()) })
	t.Run("import", func(t *testing.T) { holds(t, false, anyImportCommand()) })
	t.Run("signing", func(t *testing.T) { holds(t, false, anySigningCommand()) })
	t.Run("request", func(t *testing.T) { holds(t, false, anyRequestCommand()) })
	t.Run("message", func(t *testing.T) { holds(t, false, anyMessageCommand()) })
	// A hit is a fact each time; the id of its request keeps a retry out.
	t.Run("engagement", func(t *testing.T) { holds(t, true, anyHitCommand()) })
}

// The properties above are about every command there is.
func TestNoCommandIsLeftOut(t *testing.T) {
	drawn := map[string]bool{}
	collect(drawn, anyAccountCommand())
	collect(drawn, anyListCommand())
	collect(drawn, anySubscriberCommand())
	collect(drawn, anyTemplateCommand())
	collect(drawn, anyCampaignCommand())
	collect(drawn, anySegmentCommand())
	collect(drawn, anyImportCommand())
	collect(drawn, anySigningCommand())
	collect(drawn, anyRequestCommand())
	collect(drawn, anyMessageCommand())
	collect(drawn, anyHitCommand())
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	for _, path := range sources {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, name := range deciders(t, path) {
			if known++; !drawn[name] {
				t.Errorf("%s is not among the commands that the properties are about", name)
			}
		}
	}
	if known != len(drawn) {
		t.Errorf("%d commands, %d drawn", known, len(drawn))
	}
}

// deciders are the types in a file that have a method Decide.
func deciders(t *testing.T, path string) (names []string) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == "Decide" {
			names = append(names, f.Recv.List[0].Type.(*ast.Ident).Name)
		}
	}
	return names
}

func collect[S State[S, E], E any](into map[string]bool, gen *rapid.Generator[Command[S, E]]) {
	for seed := range 500 {
		into[reflect.TypeOf(gen.Example(seed)).Name()] = true
	}
}
