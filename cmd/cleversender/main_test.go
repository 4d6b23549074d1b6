package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/adapters/smtp/catcher"
	"github.com/cleversender/cleversender/cmd/cleversender/demo"
)

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"cleversender": main, "cleversender-next": next})
}

// tests end the PostgreSQL that they shared.
type tests struct{ *testing.M }

func (m tests) Run() int { return pgtest.Main(m.M) }

// The command line does what its transcripts say.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("CLEVERSENDER_DATA", env.WorkDir+"/data")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"capture": capture, "exits": exits, "idof": idOf, "catcher": catch},
	})
}

// capture sets a variable to the last output, trimmed: capture LIST.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: capture NAME")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// idOf sets a variable to the id of the person with an address: idof ADA ada@example.org.
func idOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: idof NAME ADDRESS")
	}
	ts.Check(ts.Exec("cleversender", "--json", "subscriber", "find", args[1]))
	var found struct{ ID string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &found))
	ts.Setenv(args[0], found.ID)
}

// catch starts a mail server that keeps the last message of each recipient as a
// file in a folder: catcher mail.
func catch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: catcher FOLDER")
	}
	folder := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(folder, 0o700))
	server, err := catcher.Listen(catcher.Options{Keep: 100, OnMessage: func(m catcher.Message) {
		_ = os.WriteFile(filepath.Join(folder, m.To[0]), m.Data, 0o600) // the script misses it
	}})
	ts.Check(err)
	ts.Defer(func() { _ = server.Close() })
	ts.Setenv("CLEVERSENDER_SMTP", server.URL())
}

// exits runs the program and checks its exit code: exits 3 cleversender list create.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG…")
	}
	err := ts.Exec("sh", append([]string{"-c", `"$@"; test $? -eq ` + args[0], "sh"}, args[1:]...)...)
	if err != nil {
		ts.Fatalf("it does not exit with %s: %v", args[0], err)
	}
}

// The demo tells its story, and everything in it holds.
func TestDemo(t *testing.T) {
	t.Parallel()
	var out, story strings.Builder
	if code := run(t.Context(), []string{"demo", "--exit", "--json"}, strings.NewReader(""), &out, &story); code != exitOK {
		t.Fatalf("exit code %d: %s", code, story.String())
	}
	var sum demo.Summary
	dec := json.NewDecoder(strings.NewReader(out.String()))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&sum); err != nil {
		t.Fatal(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		t.Errorf("more than one JSON object: %v", err)
	}
	withheld := 0
	for _, n := range sum.Withheld {
		withheld += n
	}
	if sum.Imported == 0 || sum.RejectedRows == 0 || sum.Sent+withheld != sum.Imported || withheld == 0 ||
		sum.OpenedUnique == 0 || sum.ClickedUnique == 0 || sum.Unsubscribed == 0 || sum.Erased != 1 ||
		sum.Events < 3*sum.Imported || !sum.RebuildEqual || sum.PlaintextAfter != 0 {
		t.Errorf("%+v", sum)
	}
}

// A verb that is interrupted ends, and says nothing of it as a fault.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out strings.Builder
	if code := run(ctx, []string{"demo", "--exit"}, os.Stdin, &out, &out); code == exitOK {
		t.Errorf("an interrupted demo exits with %d", code)
	}
}
