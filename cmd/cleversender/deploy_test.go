package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"github.com/cleversender/cleversender/adapters/smtp"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
)

const deploy = "../../deploy/"

// compose is what we use of a compose file. A key that is not here is a mistake.
type compose struct {
	Name      string
	Services  map[string]service
	Secrets   map[string]struct{ File string }
	Volumes   map[string]any
	KurrentDB service `yaml:"x-kurrentdb"`
}

type service struct {
	Build struct{ Context, Dockerfile string }
	Image string

	Command     []string
	Environment map[string]string
	EnvFile     []string `yaml:"env_file"`
	Secrets     []string
	Profiles    []string
	Volumes     []string
	Ports       []string
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck struct {
		Test              []string
		Interval, Timeout string
		Retries           int
	}
	ReadOnly    bool `yaml:"read_only"`
	Tmpfs       []string
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	Restart     string
	StopGrace   string `yaml:"stop_grace_period"`
	MemLimit    string `yaml:"mem_limit"`
	PidsLimit   int    `yaml:"pids_limit"`
	CPUs        float64
}

func (s service) ours() bool { return strings.HasPrefix(s.Image, "cleversender:") }

// theirPorts is where images that are not ours listen, as their pages say.
var theirPorts = map[string]string{
	"kurrentplatform/kurrentdb": "2113", "postgres": "5432", "prom/prometheus": "9090", "grafana/grafana": "3000",
}

func textOf(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// strict takes apart YAML, and complains of keys that into does not have.
func strict(t *testing.T, text string, into any) {
	t.Helper()
	dec := yaml.NewDecoder(strings.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		t.Fatal(err)
	}
	if err := dec.Decode(new(any)); err != io.EOF {
		t.Fatalf("more than one document: %v", err)
	}
}

// settings are the lines NAME=value of a file of settings.
func settings(t *testing.T, path string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for line := range strings.Lines(textOf(t, path)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			name, value, ok := strings.Cut(line, "=")
			if !ok || value == "" || all[name] != "" {
				t.Errorf("%s: %s", path, line)
			}
			all[name] = value
		}
	}
	return all
}

var variable = regexp.MustCompile(`\$\{(\w+):\?\}`)

// composed is compose files laid over each other, the example's settings filled in.
func composed(t *testing.T, files ...string) compose {
	t.Helper()
	var all compose
	values := settings(t, deploy+".env.example")
	for i, name := range files {
		var c compose
		strict(t, variable.ReplaceAllStringFunc(textOf(t, deploy+name), func(m string) string {
			asked := variable.FindStringSubmatch(m)[1]
			if value, ok := values[asked]; ok {
				return value
			}
			if !strings.Contains(textOf(t, deploy+name), "export "+asked+"=") {
				t.Errorf("%s: %s is neither in .env.example nor exported", name, m)
			}
			return "exported"
		}), &c)
		if i == 0 {
			all = c
			continue
		}
		for name, more := range c.Services {
			s, ok := all.Services[name]
			if !ok {
				t.Errorf("%s adds to a service %s that is not there", files[i], name)
			}
			s.Environment = maps.Clone(s.Environment)
			maps.Copy(s.Environment, more.Environment)
			s.Volumes = append(slices.Clip(s.Volumes), more.Volumes...)
			s.Secrets = append(slices.Clip(s.Secrets), more.Secrets...)
			all.Services[name] = s
		}
		maps.Copy(all.Secrets, c.Secrets)
	}
	return all
}

// parsed is the command line as the program reads it in an environment.
func parsed(t *testing.T, args []string, env map[string]string) (cli grammar, verb string) {
	t.Helper()
	known := flagVariables(t)
	for name, value := range env {
		if strings.HasPrefix(name, "CLEVERSENDER_") && !known[name] {
			t.Errorf("no flag is set by %s", name)
		}
		t.Setenv(name, value)
	}
	parser, err := kong.New(&cli, vars())
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return cli, ctx.Command()
}

// flagVariables are the environment variables that flags of any verb are set by.
func flagVariables(t *testing.T) map[string]bool {
	t.Helper()
	parser, err := kong.New(new(grammar), vars())
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	_ = kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			for _, name := range flag.Envs {
				known[name] = true
			}
		}
		return next(nil)
	})
	return known
}

// environment is what a service of ours is started with, the example's settings included.
func (s service) environment(t *testing.T) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, file := range s.EnvFile {
		maps.Copy(env, settings(t, deploy+file+".example"))
	}
	maps.Copy(env, s.Environment)
	return env
}

// listens are the ports that a service listens on.
func (s service) listens(t *testing.T) (ports []string) {
	t.Helper()
	if !s.ours() {
		image, _, _ := strings.Cut(s.Image, ":")
		return []string{theirPorts[image]}
	}
	cli, verb := parsed(t, s.Command, s.environment(t))
	if verb != "serve" {
		return nil
	}
	for _, address := range []string{cli.Serve.Listen, cli.Serve.BounceListen} {
		if host, port, ok := strings.Cut(address, ":"); ok && host == "" {
			ports = append(ports, port)
		}
	}
	return ports
}

// reaches checks that host:port is a service that listens there.
func (c compose) reaches(t *testing.T, address string) {
	t.Helper()
	host, port, _ := strings.Cut(address, ":")
	s, ok := c.Services[host]
	if !ok || port == "" || !slices.Contains(s.listens(t), port) {
		t.Errorf("nobody listens at %s", address)
	}
}

// hosts are the addresses that a URL names, for KurrentDB several.
func hosts(raw string) []string {
	_, rest, _ := strings.Cut(raw, "://")
	rest, _, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, "/")
	return strings.Split(rest[strings.LastIndex(rest, "@")+1:], ",")
}

// opens checks that the program has a store for each URL: it gets so far that
// nobody answers at another address.
func opens(t *testing.T, stores engine.Stores) {
	t.Helper()
	dir, secrets := filepath.Join(t.TempDir(), "data"), passwords(t)
	if _, _, err := engine.Init(t.Context(), engine.Options{Dir: dir}, "Acme"); err != nil {
		t.Fatal(err)
	}
	for i, all := 0, reflect.ValueOf(stores); i < all.NumField(); i++ {
		at := all.Field(i).String()
		if at == "" {
			continue
		}
		o := engine.Options{Dir: dir}
		nowhere := strings.Replace(at, strings.Join(hosts(at), ","), "127.0.0.1:1", 1)
		nowhere = strings.Replace(nowhere, secretsFolder, secrets, 1)
		reflect.ValueOf(&o.Stores).Elem().Field(i).SetString(nowhere)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		e, err := engine.Open(ctx, o)
		cancel()
		switch {
		case err == nil:
			_ = e.Close(t.Context())
			t.Errorf("%s: opened, though nobody is there", nowhere)
		case errors.Is(err, engine.ErrStore), errors.Is(err, engine.ErrPasswordPlace), errors.Is(err, engine.ErrPasswordFile):
			t.Errorf("%s: %v", at, err)
		}
	}
}

// Compose files name only what there is: flags, variables, stores, services,
// ports, files.
func TestCompose(t *testing.T) {
	for name, files := range map[string][]string{
		"one": {"compose.yaml"}, "three": {"cluster.yaml"}, "three with TLS": {"cluster.yaml", "cluster-tls.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			c := composed(t, files...)
			used, stores := map[string]bool{}, map[engine.Stores]bool{}
			for name, s := range c.Services {
				t.Run(name, func(t *testing.T) {
					c.checks(t, s, used)
					if s.ours() {
						stores[c.checksOurs(t, s)] = true
					}
				})
			}
			for s := range stores {
				opens(t, s)
			}
			for volume := range c.Volumes {
				if !used[volume] {
					t.Errorf("no service uses the volume %s", volume)
				}
			}
			for _, secret := range c.Secrets {
				there(t, secret.File)
			}
			c.cluster(t)
		})
	}
}

var size = regexp.MustCompile(`^[1-9]\d*[mg]$`)

func (c compose) checks(t *testing.T, s service, used map[string]bool) {
	image, tag, _ := strings.Cut(s.Image, ":")
	if _, known := theirPorts[image]; tag == "" || tag == "latest" || !known && !s.ours() {
		t.Errorf("image %q", s.Image)
	}
	if !size.MatchString(s.MemLimit) || s.PidsLimit == 0 {
		t.Errorf("it may take all of the machine: memory %q, %d processes", s.MemLimit, s.PidsLimit)
	}
	listens := s.listens(t)
	for _, port := range s.Ports {
		if to := port[strings.LastIndex(port, ":")+1:]; !slices.Contains(listens, to) {
			t.Errorf("port %s leads to nobody, listening are %v", port, listens)
		}
	}
	for _, mount := range s.Volumes {
		from, to, _ := strings.Cut(mount, ":")
		to, _, _ = strings.Cut(to, ":")
		switch _, named := c.Volumes[from]; {
		case strings.HasPrefix(from, "./"):
			there(t, from)
		case !named:
			t.Errorf("no volume %s", from)
		case s.ours() && to != "/data":
			t.Errorf("%s is not where data is", mount)
		}
		used[from] = true
	}
	for on, how := range s.DependsOn {
		other, ok := c.Services[on]
		if heals := other.ours() || len(other.Healthcheck.Test) > 0 || strings.Contains(other.Image, "kurrentdb"); !ok || how.Condition != "service_healthy" || !heals {
			t.Errorf("waits for %s", on)
		}
	}
}

// checksOurs checks what is started of this program: that nothing in it may be
// written but its data, and that everything it is told leads somewhere. It
// returns where the service keeps things.
func (c compose) checksOurs(t *testing.T, s service) engine.Stores {
	env := s.environment(t)
	cli, verb := parsed(t, s.Command, env)
	if verb != "serve" && verb != "init" {
		t.Errorf("runs %q", verb)
	}
	if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.SecurityOpt) == 0 || slices.ContainsFunc(s.Volumes, func(v string) bool { return strings.HasSuffix(v, ":/") }) {
		t.Error("it may do more than it has to")
	}
	if _, err := os.Stat(filepath.Join(deploy, s.Build.Context, s.Build.Dockerfile)); err != nil {
		t.Error(err)
	}
	for _, raw := range cli.Serve.SMTP {
		whole, err := engine.WithPassword(strings.Replace(raw, secretsFolder, passwords(t), 1))
		if err == nil {
			_, err = smtp.Parse(whole)
		}
		if err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	for i, stores := 0, reflect.ValueOf(cli.Stores); i < stores.NumField(); i++ {
		if raw := stores.Field(i).String(); raw != "" {
			for _, host := range hosts(raw) {
				c.reaches(t, host)
			}
			c.database(t, raw)
		}
	}
	key, ok := strings.CutPrefix(cli.RootKey, "file:///run/secrets/")
	switch {
	case !ok:
		t.Errorf("the root key is at %q", cli.RootKey)
	case verb == "init" && !slices.Contains(s.Volumes, strings.TrimSuffix(c.Secrets[key].File, "/"+key)+":/run/secrets"):
		t.Errorf("init makes the root key where nobody finds it: %v", s.Volumes)
	case verb == "serve" && !slices.Contains(s.Secrets, key):
		t.Errorf("the secret %s is not given to it", key)
	}
	return cli.Stores
}

// database checks that PostgreSQL at a URL has that user and that database.
func (c compose) database(t *testing.T, raw string) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "postgres" {
		return
	}
	made := c.Services[u.Hostname()].Environment
	if u.User.Username() != made["POSTGRES_USER"] || u.Path != "/"+made["POSTGRES_DB"] {
		t.Errorf("%s has the database %s of %s", raw, made["POSTGRES_DB"], made["POSTGRES_USER"])
	}
}

// The unit starts the program with flags and variables that it has.
func TestUnit(t *testing.T) {
	text := textOf(t, deploy+"cleversender.service")
	env, start := settings(t, deploy+".env.example"), ""
	for name, value := range env {
		env[name] = strings.ReplaceAll(value, secretsFolder, credentialsFolder)
	}
	credentials(t, text, env)
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		switch {
		case line == "\n" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "["):
		case !ok:
			t.Errorf("%q", line)
		case key == "Environment":
			name, set, _ := strings.Cut(value, "=")
			env[name] = set
		case key == "ExecStart":
			start = value
		case key == "EnvironmentFile" && !strings.Contains(textOf(t, deploy+".env.example"), value):
			t.Errorf("the example does not say that it goes to %s", value)
		}
	}
	program, args, _ := strings.Cut(start, " ")
	cli, verb := parsed(t, strings.Fields(args), env)
	if verb != "serve" || cli.RootKey != "file://%d/root.key" || !strings.Contains(text, "\nLoadCredential=root.key:") ||
		filepath.Base(cli.Data) != "cleversender" || !strings.Contains(text, "\nStateDirectory=cleversender\n") {
		t.Errorf("%s, data in %s, root key at %s", verb, cli.Data, cli.RootKey)
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		return // the rest is known to machines with systemd
	}
	copied := filepath.Join(t.TempDir(), "cleversender.service")
	if err := os.WriteFile(copied, []byte(strings.Replace(text, program, "/bin/true", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command(analyze, "verify", copied)
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil || strings.Contains(said.String(), filepath.Base(copied)) {
		t.Errorf("%v: %s", err, said.String())
	}
}
