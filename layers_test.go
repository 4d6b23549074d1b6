package cleversender_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cleversender/cleversender/"

// Arrows point inward: each layer may import the layers named here, and itself.
var mayImport = map[string][]string{
	"domain":      {},
	"commands":    {"domain"},
	"projections": {"domain"},
	"adapters":    {"domain", "commands", "projections"},
	"cmd":         {"domain", "commands", "projections", "adapters"},
}

// Adapters never import each other: whoever needs another's work declares the
// interface, and cmd puts the two together. The exceptions hold no
// technology.
var ports = map[string]string{
	"adapters/eventlog": "the port of the log: what an append, a page and a sealed value are",
}

// What is decided and folded must come out the same tomorrow, on any machine:
// no clock, no randomness, no I/O. What they need of those is handed in.
var (
	pure = []string{"domain", "commands", "projections"}

	impureImports = []string{
		"crypto/rand", "database/sql", "github.com/google/uuid", "io/fs", "io/ioutil", "log", "math/rand",
		"math/rand/v2", "net", "net/http", "net/smtp", "os", "os/exec", "runtime", "syscall", "unsafe",
	}
	impureTime = []string{
		"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until", "Local", "LoadLocation",
	}
	// The inner layers stand on the standard library alone.
	stdOnly = []string{"domain", "commands"}
)

func TestLayers(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		path = filepath.ToSlash(path)
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		layer, _, _ := strings.Cut(path, "/")
		seen[layer] = true
		for _, fault := range faults(path, layer, file) {
			t.Errorf("%s: %s", path, fault)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for layer := range mayImport {
		if !seen[layer] {
			t.Errorf("no Go file in %s: is the guard looking in the right place?", layer)
		}
	}
}

func faults(path, layer string, file *ast.File) (all []string) {
	isPure := slices.Contains(pure, layer)
	for _, spec := range file.Imports {
		imp := strings.Trim(spec.Path.Value, `"`)
		inner, ours := strings.CutPrefix(imp, module)
		to, _, _ := strings.Cut(inner, "/")
		root, _, _ := strings.Cut(imp, "/")
		switch {
		case ours && to != layer && !slices.Contains(mayImport[layer], to):
			all = append(all, layer+" must not import "+to)
		case ours && to == "adapters" && layer == to && folder(inner) != folder(path) && ports[inner] == "":
			all = append(all, folder(path)+" must not import "+inner+": declare an interface instead")
		case !ours && strings.Contains(root, ".") && slices.Contains(stdOnly, layer):
			all = append(all, layer+" stands on the standard library alone, not on "+imp)
		case isPure && slices.Contains(impureImports, imp):
			all = append(all, layer+" must not import "+imp)
		}
	}
	if isPure {
		all = append(all, clocks(file)...)
	}
	return all
}

// folder is the technology that a path under adapters belongs to.
func folder(path string) string {
	parts := strings.SplitN(path, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

// clocks finds uses of the time package that depend on when or where they run.
func clocks(file *ast.File) (all []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		use, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := use.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains(impureTime, use.Sel.Name) {
			all = append(all, "takes the time as an input, never from time."+use.Sel.Name)
		}
		return true
	})
	return all
}

// The guard is proven by what it must find.
func TestLayersGuardFinds(t *testing.T) {
	for _, c := range []struct{ name, path, source string }{
		{"an arrow outward", "domain/x/x.go", `import "` + module + `commands"`},
		{"an arrow sideways", "projections/x/x.go", `import "` + module + `commands"`},
		{"an adapter in a command", "commands/x.go", `import "` + module + `adapters/smtp"`},
		{"an adapter in another", "adapters/smtp/x.go", `import "` + module + `adapters/keyring"`},
		{"another adapter's inner folder", "adapters/api/x.go", `import "` + module + `adapters/eventlog/sqlite"`},
		{"the program in an adapter", "adapters/api/x.go", `import "` + module + `cmd/cleversender"`},
		{"a library in the domain", "domain/x/x.go", `import "github.com/google/go-cmp/cmp"`},
		{"randomness in a projection", "projections/x/x.go", `import "math/rand/v2"`},
		{"random ids in a projection", "projections/x/x.go", `import "github.com/google/uuid"`},
		{"a file in a command", "commands/x.go", `import "os"`},
		{"a clock in the domain", "domain/x/x.go", `import "time"; var now = time.Now`},
		{"a clock in a projection", "projections/x/x.go", `import "time"; func f(t time.Time) bool { return time.Since(t) > 0 }`},
	} {
		file, err := parser.ParseFile(token.NewFileSet(), c.path, "package x; "+c.source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		layer, _, _ := strings.Cut(c.path, "/")
		if len(faults(c.path, layer, file)) != 1 {
			t.Errorf("%s: not found", c.name)
		}
	}
}
