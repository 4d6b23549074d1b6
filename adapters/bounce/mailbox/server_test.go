package mailbox

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// desk takes mail, until it fails.
type desk struct {
	mu     sync.Mutex
	got    []string
	failAt int // the how-manieth mail is not recorded; 0: none
	fail   error
}

func (d *desk) handle(_ context.Context, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil && len(d.got)+1 == d.failAt {
		return d.fail
	}
	d.got = append(d.got, string(data))
	return nil
}

// subjects is what was taken, by the first line of each mail.
func (d *desk) subjects() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for _, mail := range d.got {
		line, _, _ := strings.Cut(mail, "\r\n")
		all = append(all, strings.TrimPrefix(line, "Subject: "))
	}
	return strings.Join(all, " ")
}

func mail(subject string) string { return "Subject: " + subject + "\r\n\r\n.a line with a dot\r\n" }

// serve listens, with TLS if there is a config, and hands each connection over.
func serve(t *testing.T, config *tls.Config, handle func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go handle(conn)
		}
	}()
	return l.Addr().String()
}

// imapServer is a real IMAP server in memory, with one user.
func imapServer(t *testing.T, config *tls.Config, mails ...string) (addr string, user *imapmemserver.User) {
	t.Helper()
	memory := imapmemserver.New()
	user = imapmemserver.NewUser("bounces", "secret")
	if err := user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	memory.AddUser(user)
	for _, text := range mails {
		if _, err := user.Append("INBOX", strings.NewReader(text), &imap.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	s := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return memory.NewSession(), nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapUIDPlus: {}},
		InsecureAuth: true,
		Logger:       log.New(io.Discard, "", 0),
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String(), user
}

// left counts a user's mail: all of it, and what is unread.
func left(t *testing.T, user *imapmemserver.User) (all, unread uint32) {
	t.Helper()
	status, err := user.Status("INBOX", &imap.StatusOptions{NumMessages: true, NumUnseen: true})
	if err != nil {
		t.Fatal(err)
	}
	return *status.NumMessages, *status.NumUnseen
}

// maildrop is what a POP3 server serves (RFC 1939); deletions are carried out
// at QUIT.
type maildrop struct {
	mu    sync.Mutex
	mails []string
	sizes map[int]int // that it claims, by number
	cut   string      // the command after which it hangs up
}

func (d *maildrop) left() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.mails)
}

func (d *maildrop) serve(conn net.Conn) {
	defer conn.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	gone := map[int]bool{}
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(conn, format+"\r\n", args...) }
	say("+OK ready")
	for scan := bufio.NewScanner(conn); scan.Scan(); {
		verb, arg, _ := strings.Cut(scan.Text(), " ")
		var n int
		_, _ = fmt.Sscan(arg, &n)
		if verb == d.cut {
			return
		}
		switch verb {
		case "PASS":
			if arg != "secret" {
				say("-ERR wrong password for bounces@sender.example")
				continue
			}
			say("+OK")
		case "LIST":
			say("+OK")
			for i, text := range d.mails {
				size := len(text)
				if claimed := d.sizes[i+1]; claimed > 0 {
					size = claimed
				}
				say("%d %d", i+1, size)
			}
			say(".")
		case "RETR":
			say("+OK\r\n%s.", strings.ReplaceAll(d.mails[n-1], "\r\n.", "\r\n.."))
		case "DELE":
			gone[n] = true
			say("+OK")
		case "QUIT":
			var kept []string
			for i, text := range d.mails {
				if !gone[i+1] {
					kept = append(kept, text)
				}
			}
			d.mails = kept
			say("+OK")
			return
		default:
			say("+OK")
		}
	}
}
