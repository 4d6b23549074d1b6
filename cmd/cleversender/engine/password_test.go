package engine_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/bounce/mailbox"
	"github.com/cleversender/cleversender/adapters/smtp"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/domain"
)

// inFile is a URL with password_file=, and the file.
func inFile(t *testing.T, before, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return before + "password_file=" + file
}

// A password in a file, whatever is in it, is the one that each kind of server is shown.
func TestPasswordFile(t *testing.T) {
	const password = "p@ss:w/o?r#d, %41&+=[ü] "
	shown := map[string]func(url string) (user, password string, err error){
		"smtp://shop%40example.org@relay.example.org:587?burst=3&": func(raw string) (string, string, error) {
			c, err := smtp.Parse(raw)
			return strings.Replace(c.User, "shop@example.org", "me", 1), c.Pass, err
		},
		"postgres://me@one:5432,two:5432/d@b?sslmode=disable&": func(raw string) (string, string, error) {
			c, err := pgx.ParseConfig(raw)
			if err != nil || len(c.RuntimeParams) > 0 || len(c.Fallbacks) != 1 || c.Database != "d@b" {
				t.Errorf("%+v", c)
			}
			return c.User, c.Password, err
		},
		"esdb://me@one:2113,two:2113?tls=true&": func(raw string) (string, string, error) {
			c, err := esdb.ParseConnectionString(raw)
			if err != nil {
				return "", "", err
			}
			return c.Username, c.Password, nil
		},
		"imaps://me@mail.example.org/in@box?after=delete&": func(raw string) (string, string, error) {
			_, err := mailbox.Parse(raw)
			u, _ := url.Parse(raw) // as mailbox does, which shows no password
			password, _ := u.User.Password()
			return u.User.Username(), password, err
		},
	}
	for before, parse := range shown {
		for _, end := range []string{"", "\n", "\r\n"} {
			url, err := engine.WithPassword(inFile(t, before, password+end))
			if err != nil {
				t.Fatal(err)
			}
			if user, got, err := parse(url); user != "me" || got != password || err != nil {
				t.Errorf("%s: %q, %q, %v", before, user, got, err)
			}
		}
	}
}

// What names no file is left as it is.
func TestNoPasswordFile(t *testing.T) {
	for _, url := range []string{"", "sqlite:", "postgres://me:secret@host/db?sslmode=disable", "smtp://host?%zz", "smtp://host?name=password_file"} {
		if got, err := engine.WithPassword(url); got != url || err != nil {
			t.Errorf("%s: %s, %v", url, got, err)
		}
	}
}

// flags are where a URL may be said.
var flags = map[string]func(o *engine.Options, url string){
	"--log":            func(o *engine.Options, url string) { o.Log = url },
	"--read-models":    func(o *engine.Options, url string) { o.ReadModels = url },
	"--keys":           func(o *engine.Options, url string) { o.Keys = url },
	"--smtp":           func(o *engine.Options, url string) { o.SMTP = []string{"smtp://host", url} },
	"--bounce-mailbox": func(o *engine.Options, url string) { o.Bounces.Mailbox = url },
}

// opened is what becomes of a folder that is there, with a URL.
func opened(t *testing.T, made, flag, url string) error {
	t.Helper()
	o := engine.Options{Dir: made}
	flags[flag](&o, url)
	e, err := engine.Open(t.Context(), o)
	if err == nil {
		_ = e.Close(t.Context())
	}
	return err
}

// folder is one that Init has been run on.
func folder(t *testing.T) string {
	t.Helper()
	made := filepath.Join(t.TempDir(), "data")
	if _, _, err := engine.Init(t.Context(), engine.Options{Dir: made}, "Acme"); err != nil {
		t.Fatal(err)
	}
	return made
}

// A URL that cannot have its password is refused wherever it is said, by the name of its flag.
func TestPasswordFileIsRefused(t *testing.T) {
	made := folder(t)
	for url, want := range map[string]error{
		"smtp://me@host?password_file=/nowhere/password": fs.ErrNotExist,
		"smtp://me@host?password_file=" + t.TempDir():    engine.ErrPasswordFile,
		inFile(t, "smtp://me@host?", ""):                 engine.ErrPasswordFile,
		inFile(t, "smtp://me@host?", "\r\n"):             engine.ErrPasswordFile,
		inFile(t, "smtp://me@host?", "secret\nsecret\n"): engine.ErrPasswordFile,
		inFile(t, "smtp://me@host?", "secret\x00"):       engine.ErrPasswordFile,
		inFile(t, "smtp://host?", "secret"):              engine.ErrPasswordPlace,
		inFile(t, "imaps://host/me@box?", "secret"):      engine.ErrPasswordPlace,
		inFile(t, "postgres://@host/db?", "secret"):      engine.ErrPasswordPlace,
		inFile(t, "smtp://me:secret@host?", "secret"):    engine.ErrPasswordPlace,
		inFile(t, "sqlite:?", "secret"):                  engine.ErrPasswordPlace,
		inFile(t, "smtp://me@host?x=%zz&", "secret"):     engine.ErrPasswordPlace,
		inFile(t, "smtp://me@host?", "secret") + "%zz":   engine.ErrPasswordPlace,
	} {
		for flag, set := range flags {
			o := engine.Options{Dir: filepath.Join(t.TempDir(), "data")}
			set(&o, url)
			_, _, err := engine.Init(t.Context(), o, "Acme")
			for _, err := range []error{err, opened(t, made, flag, url)} {
				var refusal domain.Refusal
				if !errors.Is(err, want) || !errors.As(err, &refusal) || !strings.HasPrefix(err.Error(), flag+": ") || strings.Contains(err.Error(), "secret") {
					t.Errorf("%s %s: %v", flag, url, err)
				}
			}
		}
	}
}

// Whatever else is wrong with a URL, what is said of it does not hold its password.
func TestPasswordIsNotShown(t *testing.T) {
	made := folder(t)
	for scheme, said := range map[string][]string{
		"postgres": {"--log", "--read-models", "--keys"}, "esdb": {"--log"}, "smtp": {"--smtp"}, "imaps": {"--bounce-mailbox"},
		"redis": {"--log", "--read-models", "--keys", "--smtp", "--bounce-mailbox"},
	} {
		for _, form := range []string{"%s://me@host:port/db?", "%s://me@127.0.0.1:1/db?sslmode=disable&maxDiscoverAttempts=1&", "%s://me@host/%%zz?"} {
			url := inFile(t, fmt.Sprintf(form, scheme), "hunter2")
			if whole, err := engine.WithPassword(url); err != nil || !strings.Contains(whole, ":hunter2@") {
				t.Errorf("%s: %v", url, err) // or there were nothing to be shown
			}
			for _, flag := range said {
				if err := opened(t, made, flag, url); err == nil || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("%s %s: %v", flag, url, err)
				}
			}
		}
	}
}
