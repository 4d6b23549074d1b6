package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// Every command that the README shows is one that the command line knows, with
// these flags.
func TestReadme(t *testing.T) {
	raw, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(raw), "\\\n", " ")
	call := regexp.MustCompile(`cleversender ([a-z]+(?: (?:--?[a-z-]+|'[^']*'|"[^"]*"|[^\s|)]+))*)`)
	found := 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(block[1]) {
			if strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			for _, m := range call.FindAllStringSubmatch(line, -1) {
				found++
				parses(t, words(m[1]))
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d commands found in the README", found)
	}
}

// words splits as a shell does, quotes removed; a variable stands for an id.
func words(line string) []string {
	var out []string
	for _, w := range regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`).FindAllString(line, -1) {
		w = strings.Trim(w, `'"`)
		if strings.HasPrefix(w, "$") {
			w = "01a203c2-5d05-7c0d-9d5c-35b1a3c3a3a3"
		}
		if strings.HasSuffix(w, ".html") || strings.HasSuffix(w, ".txt") {
			w = "readme_test.go" // a file that exists
		}
		out = append(out, w)
	}
	return out
}

func parses(t *testing.T, args []string) {
	t.Helper()
	var cli grammar
	parser, err := kong.New(&cli, vars())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Errorf("%s: %v", strings.Join(args, " "), err)
	}
}
