package mailbox

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// Box is a mailbox to visit. It does not print its password.
type Box struct {
	pop3, tls, remove  bool
	addr, host, folder string
	user, pass         func() string // so that no fmt verb shows them
}

// Parse reads where bounces come to:
//
//	imaps://user:password@host[:port][/folder]    port 993; the folder is INBOX by default
//	pop3s://user:password@host[:port]             port 995
//
// and, for IMAP, after a question mark,
//
//	after=seen|delete    what becomes of a mail that was taken: marked as read, the default, or deleted
//
// POP3 knows no mark, and deletes. imap:// and pop3:// are not encrypted, and
// taken for this very machine only. Errors hold neither user nor password.
func Parse(raw string) (Box, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User == nil || u.Fragment != "" {
		return Box{}, errors.New("the mailbox is given as imaps://user:password@host/folder or pop3s://user:password@host")
	}
	pass, _ := u.User.Password()
	b := Box{host: u.Hostname(), folder: strings.Trim(u.Path, "/"), user: u.User.Username, pass: func() string { return pass }}
	var port string
	switch u.Scheme { // ports: RFC 8314, section 3.2 and 3.3; RFC 1939, section 3; RFC 9051, section 2.1
	case "imaps":
		b.tls, port = true, "993"
	case "imap":
		port = "143"
	case "pop3s":
		b.pop3, b.tls, port = true, true, "995"
	case "pop3":
		b.pop3, port = true, "110"
	default:
		return Box{}, errors.New("the mailbox is read by imaps or pop3s")
	}
	if ip := net.ParseIP(b.host); !b.tls && b.host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return Box{}, errors.New("the password of the mailbox would leave this machine unencrypted: use imaps or pop3s")
	}
	if u.Port() != "" {
		port = u.Port()
	}
	b.addr = net.JoinHostPort(b.host, port)
	for key, values := range u.Query() {
		if key != "after" || b.pop3 || values[0] != "seen" && values[0] != "delete" {
			return Box{}, errors.New("the mailbox has one setting, for IMAP: after=seen or after=delete")
		}
		b.remove = values[0] == "delete"
	}
	switch {
	case b.pop3 && b.folder != "":
		return Box{}, errors.New("POP3 knows no folders")
	case b.folder == "":
		b.folder = "INBOX"
	}
	return b, nil
}
