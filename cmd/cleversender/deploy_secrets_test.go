package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Where containers, and systemd, put the files of passwords.
const (
	secretsFolder     = "/run/secrets/"
	credentialsFolder = "/run/credentials/cleversender.service/"
)

var secret = regexp.MustCompile(secretsFolder + `([\w.]+)`)

// passwords is a folder that has the file of every password.
func passwords(t *testing.T) string {
	t.Helper()
	dir := t.TempDir() + "/"
	for name := range composed(t, "cluster.yaml", "cluster-tls.yaml").Secrets {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("secret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Passwords are in files of their own. Whoever is told of one is given it, and
// nobody else; docs/deploy.md says how it is made.
func TestSecrets(t *testing.T) {
	guide := textOf(t, "../../docs/deploy.md")
	for _, files := range [][]string{{"compose.yaml"}, {"cluster.yaml"}, {"cluster.yaml", "cluster-tls.yaml"}} {
		c := composed(t, files...)
		used := map[string]bool{}
		for name, s := range c.Services {
			given := s.Secrets
			if slices.Contains(s.Volumes, "./secrets:"+strings.TrimSuffix(secretsFolder, "/")) {
				given = nil // the whole folder, with every file in it
				for name := range c.Secrets {
					given = append(given, name)
				}
			}
			told := map[string]bool{}
			for key, value := range s.environment(t) {
				for _, m := range secret.FindAllStringSubmatch(value, -1) {
					told[m[1]] = true
					if !slices.Contains(given, m[1]) {
						t.Errorf("%v: %s is not given the secret %s of its %s", files, name, m[1], key)
					}
				}
				if strings.Contains(key, "PASSWORD") && !strings.HasSuffix(key, "_FILE") && value != "exported" {
					t.Errorf("%v: %s has a password in its environment: %s", files, name, key)
				}
			}
			for _, secret := range s.Secrets {
				if used[secret] = true; !told[secret] {
					t.Errorf("%v: %s is given the secret %s for nothing", files, name, secret)
				}
			}
		}
		for name, s := range c.Secrets {
			if !used[name] || s.File != "./secrets/"+name {
				t.Errorf("%v: the secret %s from %s is nobody's", files, name, s.File)
			}
			if !strings.Contains(guide, "deploy/secrets/"+name) {
				t.Errorf("docs/deploy.md does not say how deploy/secrets/%s is made", name)
			}
		}
	}
}

var plain = regexp.MustCompile(`(?i)://[^/\s:]*:[^$@/\s][^@/\s]*@|password: +["']?[^$"'\s]`)

// No file that is in the repository holds a password; the example has each
// setting that the others ask for, and no other.
func TestSettings(t *testing.T) {
	known, example := flagVariables(t), settings(t, deploy+".env.example")
	asked := map[string]bool{}
	files, err := filepath.Glob(deploy + "*")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			continue
		}
		text := textOf(t, path)
		if found := plain.FindString(text); found != "" && filepath.Base(path) != ".env" {
			t.Errorf("%s holds a password: %s", path, found)
		}
		for _, m := range variable.FindAllStringSubmatch(text, -1) {
			asked[m[1]] = true
		}
	}
	for name := range example {
		if !known[name] && !asked[name] {
			t.Errorf("nobody asks for %s", name)
		}
	}
}

// credentials checks that systemd gives the unit each file that its environment
// names, and that docs/deploy.md says how they come to be named so.
func credentials(t *testing.T, unit string, env map[string]string) {
	t.Helper()
	guide, named := textOf(t, "../../docs/deploy.md"), 0
	for name, value := range env {
		_, path, ok := strings.Cut(value, "password_file=")
		if !ok {
			continue
		}
		named++
		file := strings.TrimPrefix(path, credentialsFolder)
		if !strings.Contains(unit, "\nLoadCredential="+file+":/etc/cleversender/"+file+"\n") || !strings.Contains(guide, " /etc/cleversender/"+file+"\n") {
			t.Errorf("%s is in %s, which nobody makes or loads", name, path)
		}
	}
	if !strings.Contains(guide, "s|"+secretsFolder+"|"+credentialsFolder+"|") || named == 0 {
		t.Errorf("docs/deploy.md does not say where the unit has its %d passwords", named)
	}
}
