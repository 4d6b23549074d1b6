package mailbox

import (
	"fmt"
	"strings"
	"testing"
)

// An address says the protocol, the server, the folder and what becomes of mail.
func TestParse(t *testing.T) {
	for url, want := range map[string]string{
		"imaps://b%40x.example:p%2Fw@mx.example":    "tls mx.example:993 INBOX b@x.example p/w",
		"imaps://b:p@mx.example:1993/Bounces/2026":  "tls mx.example:1993 Bounces/2026 b p",
		"imaps://b:p@mx.example/INBOX?after=delete": "tls delete mx.example:993 INBOX b p",
		"imap://b:p@127.0.0.1?after=seen":           "127.0.0.1:143 INBOX b p",
		"pop3s://b:p@mx.example":                    "pop3 tls mx.example:995 INBOX b p",
		"pop3://b:p@localhost":                      "pop3 localhost:110 INBOX b p",
		"pop3://b:p@[::1]:1110":                     "pop3 [::1]:1110 INBOX b p",
		"imap://b:p@mx.example":                     "",
		"pop3://b:p@192.0.2.1":                      "",
		"imaps://mx.example":                        "",
		"imaps://b:p@":                              "",
		"https://b:p@mx.example":                    "",
		"pop3s://b:p@mx.example/INBOX":              "",
		"pop3s://b:p@mx.example?after=delete":       "",
		"imaps://b:p@mx.example?after=burn":         "",
		"imaps://b:p@mx.example?insecure=true":      "",
		"imaps://b:secret@mx.example:port":          "",
	} {
		b, err := Parse(url)
		if err != nil {
			if want != "" || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v", url, err)
			}
			continue
		}
		got := fmt.Sprintf("%s %s %s %s", b.addr, b.folder, b.user(), b.pass())
		for _, flag := range []struct {
			is   bool
			name string
		}{{b.remove, "delete "}, {b.tls, "tls "}, {b.pop3, "pop3 "}} {
			if flag.is {
				got = flag.name + got
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}

// A mailbox does not print its password.
func TestBoxIsDiscreet(t *testing.T) {
	b, err := Parse("imaps://bounces:secret@mx.example")
	if text := fmt.Sprintf("%v %+v %#v", b, b, b); err != nil || strings.Contains(text, "secret") {
		t.Error(text, err)
	}
}
