package engine

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/cleversender/cleversender/domain"
)

var (
	// ErrPasswordPlace: a URL that names a file of its password and has no place for one.
	ErrPasswordPlace = domain.Refuse("password_place", "a URL with password_file=/path has to name a user, as in smtp://user@host, and no password")
	// ErrPasswordFile: the file of a password does not hold one.
	ErrPasswordFile = domain.Refuse("password_file", "the file that password_file names has to be readable, and to hold the password as its only line")
)

const passwordSetting = "password_file"

// WithPassword is a URL with the password in it that it says by
// ?password_file=/path is in a file, the end of its line left out. A URL that
// does not say so is returned as it is. Errors hold nothing of file or URL.
func WithPassword(raw string) (string, error) {
	place, query, _ := strings.Cut(raw, "?")
	settings, err := url.ParseQuery(query)
	switch {
	case err != nil && strings.Contains(query, passwordSetting):
		return "", ErrPasswordPlace
	case !settings.Has(passwordSetting):
		return raw, nil // who opens the URL says what is wrong with it
	}
	_, rest, _ := strings.Cut(place, "://") // not by net/url: hosts may be several, each with a port
	authority, _, _ := strings.Cut(rest, "/")
	at := strings.LastIndexByte(authority, '@')
	if at < 1 || strings.Contains(authority[:at], ":") {
		return "", ErrPasswordPlace
	}
	password, err := readPassword(settings.Get(passwordSetting))
	if err != nil {
		return "", err
	}
	settings.Del(passwordSetting)
	at += len(place) - len(rest)
	password = strings.ReplaceAll(url.QueryEscape(password), "+", "%20") // RFC 3986, section 3.2.1
	return strings.TrimSuffix(place[:at]+":"+password+place[at:]+"?"+settings.Encode(), "?"), nil
}

func readPassword(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrPasswordFile, err)
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" || strings.ContainsAny(password, "\r\n\x00") {
		return "", fmt.Errorf("%w: %s", ErrPasswordFile, path)
	}
	return password, nil
}

// withPasswords puts the passwords that are in files into the URLs that name them.
func (o Options) withPasswords() (Options, error) {
	type flag struct {
		name string
		url  *string
	}
	flags := []flag{{"log", &o.Log}, {"read-models", &o.ReadModels}, {"keys", &o.Keys}, {"bounce-mailbox", &o.Bounces.Mailbox}}
	o.SMTP = slices.Clone(o.SMTP)
	for i := range o.SMTP {
		flags = append(flags, flag{"smtp", &o.SMTP[i]})
	}
	for _, f := range flags {
		whole, err := WithPassword(*f.url)
		if err != nil {
			return Options{}, fmt.Errorf("--%s: %w", f.name, err)
		}
		*f.url = whole
	}
	return o, nil
}
