// Command cleversender is the whole product: server, command line, demo and bench.
//
// Verbs talk to a running server (--server and --token, or CLEVERSENDER_SERVER
// and CLEVERSENDER_TOKEN); where none is named they open the data folder
// themselves and ask the same API in process.
//
// Exit codes: 0 done; 1 fault; 2 wrong usage; 3 refused by a rule; 4 not
// found; 5 data folder in use or server unreachable; 6 token missing or not
// allowed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	tendMemory()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// vars is what the help texts name.
func vars() kong.Vars {
	return kong.Vars{
		"purposes": "mailing, open_tracking, click_tracking, profiling, policy_notices",
		"roles":    "api, tracking, projections, sender",
	}
}

// run is the program: what tests call.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var cli grammar
	exited := -1
	parser, err := kong.New(&cli,
		kong.Name("cleversender"),
		kong.Description("E-mail campaigns in which every change is an appended event."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		vars(),
	)
	if err != nil {
		fmt.Fprintln(stderr, "cleversender:", err)
		return exitFault
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	verb, err := parser.Parse(args)
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		fmt.Fprintln(stderr, "cleversender:", err)
		return exitUsage
	}
	s := &session{ctx: ctx, globals: &cli.Globals, in: stdin, out: stdout, err: stderr}
	defer s.close()
	s.verb = verb.Selected().Name
	err = verb.Run(s)
	if err != nil && !errors.Is(err, context.Canceled) {
		s.fail(err)
	}
	return exitCode(err)
}

// fail says what went wrong: a line for people, an object for --json.
func (s *session) fail(err error) {
	if s.globals.JSON {
		_ = json.NewEncoder(s.err).Encode(map[string]string{"code": codeOf(err), "error": err.Error()})
		return
	}
	fmt.Fprintln(s.err, "cleversender:", err)
}
