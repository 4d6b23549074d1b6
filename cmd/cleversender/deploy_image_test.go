package main

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cleversender/cleversender/cmd/cleversender/engine"
)

// instruction is one of a Containerfile, its continued lines joined.
type instruction struct{ name, rest string }

// stages are a Containerfile's, the last one what is run.
func stages(t *testing.T, file string) (all [][]instruction) {
	t.Helper()
	text := regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(textOf(t, file), "")
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case name == "":
			continue
		case name == "FROM":
			all = append(all, nil)
		case len(all) == 0:
			t.Fatalf("%s before any image", name)
		}
		all[len(all)-1] = append(all[len(all)-1], instruction{name, rest})
	}
	return all
}

// one is what an instruction that a stage has once says.
func one(t *testing.T, stage []instruction, name string) string {
	t.Helper()
	at := slices.IndexFunc(stage, func(i instruction) bool { return i.name == name })
	if at < 0 || slices.ContainsFunc(stage[at+1:], func(i instruction) bool { return i.name == name }) {
		t.Fatalf("not one %s", name)
	}
	return stage[at].rest
}

// inList are the words of an instruction's list, ["a", "b"].
func inList(t *testing.T, list string) (all []string) {
	t.Helper()
	_, list, ok := strings.Cut(list, "[")
	list, rest, closed := strings.Cut(list, "]")
	if !ok || !closed || strings.TrimSpace(rest) != "" {
		t.Fatalf("no list: %q", list)
	}
	for word := range strings.SplitSeq(list, ",") {
		all = append(all, strings.Trim(word, ` "`))
	}
	return all
}

// there checks that a file that is named relative to deploy exists, or is the
// operator's own: then git ignores it.
func there(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(deploy + path); err == nil {
		return
	}
	own := filepath.ToSlash(filepath.Join("/deploy", path))
	for line := range strings.Lines(textOf(t, "../../.gitignore")) {
		if line = strings.TrimSpace(line); line == own || strings.HasSuffix(line, "/") && strings.HasPrefix(own+"/", line) {
			return
		}
	}
	t.Errorf("%s does not exist", path)
}

// The image is made of all that the program is built from, by the Go that it
// asks for, static and with its version in it.
func TestImageIsBuilt(t *testing.T) {
	build := stages(t, deploy+"Containerfile")[0]
	modfile := textOf(t, "../../go.mod")
	wanted := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(modfile)[1]
	if image := one(t, build, "FROM"); image != "golang:"+wanted+" AS build" {
		t.Errorf("built by %s, and go.mod asks for %s", image, wanted)
	}
	let := strings.Fields(textOf(t, deploy+"Containerfile.dockerignore"))
	copied := map[string]bool{}
	for _, i := range build {
		if i.name != "COPY" {
			continue
		}
		from := strings.Fields(i.rest)
		for _, name := range from[:len(from)-1] {
			copied[name] = true
			there(t, "../"+name)
			if !slices.Contains(let, "!"+name) {
				t.Errorf("%s is not let into the build", name)
			}
		}
	}
	deps, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if .Main}}{{$.ImportPath}}{{end}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	needed := map[string]bool{"go.mod": true, "go.sum": true}
	for _, pkg := range strings.Fields(string(deps)) {
		needed[strings.Split(strings.TrimPrefix(pkg, "github.com/cleversender/cleversender/"), "/")[0]] = true
	}
	if !maps.Equal(copied, needed) {
		t.Errorf("copies %v, and needs %v", copied, needed)
	}
	run := build[len(build)-1].rest
	if !strings.Contains(run, "CGO_ENABLED=0 ") || !strings.HasSuffix(strings.Split(run, " && ")[0], " ./cmd/cleversender") {
		t.Errorf("not a static build of the program: %s", run)
	}
	linked := regexp.MustCompile(`-X github\.com/cleversender/cleversender/(\S+)\.(\w+)=\$VERSION`).FindStringSubmatch(run)
	if linked == nil || !declares(t, filepath.Join("../..", linked[1]), linked[2]) {
		t.Errorf("nothing takes the version: %q", linked)
	}
	if !slices.ContainsFunc(build, func(i instruction) bool { return i.name == "ARG" && strings.HasPrefix(i.rest, "VERSION=") }) {
		t.Error("no version is asked for")
	}
}

// declares reports whether a package has a variable that begins as a string,
// which is what the linker can set.
func declares(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			vars, ok := d.(*ast.GenDecl)
			if !ok || vars.Tok != gotoken.VAR {
				continue
			}
			for _, spec := range vars.Specs {
				v := spec.(*ast.ValueSpec)
				if len(v.Names) != 1 || v.Names[0].Name != name || len(v.Values) != 1 {
					continue
				}
				literal, ok := v.Values[0].(*ast.BasicLit)
				return ok && literal.Kind == gotoken.STRING
			}
		}
	}
	return false
}

// What is run in the container is nobody in particular, keeps its data where
// the compose files put a volume, and is what compose files and flags say of it.
func TestImageIsRun(t *testing.T) {
	all := stages(t, deploy+"Containerfile")
	run := all[len(all)-1]
	if user := one(t, run, "USER"); !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user) {
		t.Errorf("runs as %s", user)
	} else if !slices.Contains(run, instruction{"COPY", "--from=build --chown=" + user + " /out/data /data"}) {
		t.Errorf("the data is not of %s", user)
	}
	entry := inList(t, one(t, run, "ENTRYPOINT"))
	if len(entry) != 1 || !slices.Contains(run, instruction{"COPY", "--from=build /out/cleversender /usr/local/bin/" + entry[0]}) {
		t.Errorf("runs %v", entry)
	}
	name, data, _ := strings.Cut(one(t, run, "ENV"), "=")
	if data != one(t, run, "VOLUME") || data != "/data" {
		t.Errorf("data in %s", data)
	}
	cli, verb := parsed(t, inList(t, one(t, run, "CMD")), map[string]string{name: data})
	if verb != "serve" || cli.Data != data {
		t.Errorf("it does %q, data in %q", verb, cli.Data)
	}
	if exposed := strings.Fields(one(t, run, "EXPOSE")); !slices.Contains(exposed, path.Base(strings.ReplaceAll(cli.Serve.Listen, ":", "/"))) {
		t.Errorf("listens on %s, and %v is exposed", cli.Serve.Listen, exposed)
	}
	for _, s := range composed(t, "compose.yaml").Services {
		for _, port := range s.Ports {
			to := port[strings.LastIndex(port, ":")+1:]
			if s.ours() && !slices.Contains(strings.Fields(one(t, run, "EXPOSE")), to) {
				t.Errorf("compose.yaml leads to %s, which is not exposed", to)
			}
		}
	}
	_, check, _ := strings.Cut(one(t, run, "HEALTHCHECK"), " CMD ")
	if asked := inList(t, check); asked[0] != entry[0] {
		t.Errorf("asks %s how it is", asked[0])
	} else if _, verb := parsed(t, asked[1:], map[string]string{name: data}); verb != "health" {
		t.Errorf("asks for %q", verb)
	}
	if signal := one(t, run, "STOPSIGNAL"); signal != "SIGTERM" {
		t.Errorf("is stopped by %s", signal)
	}
}

// closing is what closing the stores may take after engine.StopTime.
const closing = 10 * time.Second

// What runs the program does not kill it while it still finishes what is under way.
func TestStopTimes(t *testing.T) {
	for _, file := range []string{"compose.yaml", "cluster.yaml"} {
		for name, s := range composed(t, file).Services {
			if !s.ours() {
				continue
			}
			_, verb := parsed(t, s.Command, s.environment(t))
			if patience, err := time.ParseDuration(s.StopGrace); err != nil || verb == "serve" && patience < engine.StopTime+closing {
				t.Errorf("%s: %s has %s to stop", file, name, s.StopGrace)
			}
		}
	}
	stop := regexp.MustCompile(`(?m)^TimeoutStopSec=(\d+)$`).FindStringSubmatch(textOf(t, deploy+"cleversender.service"))
	if stop == nil {
		t.Fatal("the unit does not say how long it may take to stop")
	}
	if patience, err := time.ParseDuration(stop[1] + "s"); err != nil || patience < engine.StopTime+closing {
		t.Errorf("the unit has %s s to stop", stop[1])
	}
}
