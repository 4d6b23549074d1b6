package mailbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/cleversender/cleversender/adapters/bounce"
)

var errDisk = errors.New("the disk is full")

// once visits a mailbox.
func once(t *testing.T, url string, d *desk, o Options) error {
	t.Helper()
	box, err := Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	o.Handle, o.Logger = d.handle, slog.New(slog.DiscardHandler)
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	return visit(t.Context(), box, o)
}

// Unread mail is taken whole and once, by IMAP, and stays, marked as read.
func TestIMAP(t *testing.T) {
	addr, user := imapServer(t, nil, mail("one"), mail("two"))
	var d desk
	for range 2 {
		if err := once(t, "imap://bounces:secret@"+addr, &d, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if d.subjects() != "one two" || d.got[0] != mail("one") {
		t.Errorf("%q", d.got)
	}
	if all, unread := left(t, user); all != 2 || unread != 0 {
		t.Errorf("%d are left, %d unread", all, unread)
	}
}

// Mail that was taken is deleted where that is wanted, and only that: what
// somebody else marked as deleted stays, and so does what was not recorded.
func TestIMAPDeletes(t *testing.T) {
	addr, user := imapServer(t, nil, mail("one"), mail("two"), mail("three"))
	if _, err := user.Append("INBOX", strings.NewReader(mail("theirs")), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagDeleted}}); err != nil {
		t.Fatal(err)
	}
	d := desk{failAt: 2, fail: errDisk}
	url := "imap://bounces:secret@" + addr + "/INBOX?after=delete"
	if err := once(t, url, &d, Options{}); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	if all, unread := left(t, user); all != 3 || unread != 3 {
		t.Errorf("after a failure %d are left, %d unread", all, unread)
	}
	d.fail = nil
	if err := once(t, url, &d, Options{}); err != nil {
		t.Fatal(err)
	}
	if all, _ := left(t, user); all != 1 || d.subjects() != "one two three" {
		t.Errorf("%d are left, taken %s", all, d.subjects())
	}
}

// Of a large mail the beginning is taken.
func TestIMAPLarge(t *testing.T) {
	addr, user := imapServer(t, nil, mail("large")+strings.Repeat("x\r\n", bounce.MaxBytes))
	var d desk
	if err := once(t, "imap://bounces:secret@"+addr, &d, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, unread := left(t, user); unread != 0 || len(d.got) != 1 || len(d.got[0]) != bounce.MaxBytes {
		t.Errorf("%d unread, %d taken", unread, len(d.got))
	}
}

// By POP3 mail is taken whole, once, and deleted.
func TestPOP3(t *testing.T) {
	drop := &maildrop{mails: []string{mail("one"), mail("two")}}
	url := "pop3://bounces:secret@" + serve(t, nil, drop.serve)
	var d desk
	for range 2 {
		if err := once(t, url, &d, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if d.subjects() != "one two" || d.got[0] != mail("one") || drop.left() != 0 {
		t.Errorf("%q, %d left", d.got, drop.left())
	}
}

// What was not recorded stays, what was recorded before it does not; a mail
// too large for a bounce stays as well.
func TestPOP3NotRecorded(t *testing.T) {
	drop := &maildrop{mails: []string{mail("film"), mail("one"), mail("two")}, sizes: map[int]int{1: maxMail + 1}}
	url := "pop3://bounces:secret@" + serve(t, nil, drop.serve)
	d := desk{failAt: 2, fail: errDisk}
	if err := once(t, url, &d, Options{}); !errors.Is(err, errDisk) || drop.left() != 2 {
		t.Fatal(err, drop.left())
	}
	d.fail = nil
	if err := once(t, url, &d, Options{}); err != nil || drop.left() != 1 || d.subjects() != "one two" {
		t.Error(err, drop.left(), d.subjects())
	}
}

// A full mailbox is emptied in several visits.
func TestManyMails(t *testing.T) {
	drop := &maildrop{}
	for range maxMails + 1 {
		drop.mails = append(drop.mails, mail("x"))
	}
	url := "pop3://bounces:secret@" + serve(t, nil, drop.serve)
	var d desk
	for _, want := range []int{1, 0} {
		if err := once(t, url, &d, Options{}); err != nil || drop.left() != want {
			t.Error(err, drop.left())
		}
	}
}

// A connection that breaks before the end takes nothing away: all comes again.
func TestPOP3CutOff(t *testing.T) {
	drop := &maildrop{mails: []string{mail("one")}, cut: "QUIT"}
	url := "pop3://bounces:secret@" + serve(t, nil, drop.serve)
	var d desk
	if err := once(t, url, &d, Options{}); err == nil || drop.left() != 1 {
		t.Fatal(err, drop.left())
	}
	drop.cut = ""
	if err := once(t, url, &d, Options{}); err != nil || drop.left() != 0 || d.subjects() != "one one" {
		t.Error(err, drop.left(), d.subjects())
	}
}

// A wrong password is an error that repeats neither it nor the server's words.
func TestWrongPassword(t *testing.T) {
	drop := &maildrop{}
	imapAddr, _ := imapServer(t, nil)
	for _, url := range []string{"pop3://bounces:wrong@" + serve(t, nil, drop.serve), "imap://bounces:wrong@" + imapAddr} {
		err := once(t, url, &desk{}, Options{})
		if !errors.Is(err, errRefused) || strings.Contains(err.Error(), "wrong") || strings.Contains(err.Error(), "bounces") {
			t.Error(err)
		}
	}
}

// Certificates are checked, and mail comes through TLS.
func TestTLS(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate, of 127.0.0.1
	defer web.Close()
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	drop := &maildrop{mails: []string{mail("two")}}
	imapAddr, _ := imapServer(t, web.TLS, mail("one"))
	var d desk
	for _, url := range []string{"imaps://bounces:secret@" + imapAddr, "pop3s://bounces:secret@" + serve(t, web.TLS, drop.serve)} {
		var untrusted *tls.CertificateVerificationError
		if err := once(t, url, &d, Options{}); !errors.As(err, &untrusted) {
			t.Error("the certificate is not checked:", err)
		}
		if err := once(t, url, &d, Options{TLS: &tls.Config{RootCAs: roots}}); err != nil {
			t.Error(err)
		}
	}
	if d.subjects() != "one two" {
		t.Error(d.subjects())
	}
}

// A server that says nothing, whatever it is asked, holds nobody for longer
// than a visit may last.
func TestSilentServer(t *testing.T) {
	addr := serve(t, nil, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	for _, scheme := range []string{"imap", "pop3"} {
		if err := once(t, scheme+"://bounces:secret@"+addr, &desk{}, Options{Timeout: 50 * time.Millisecond}); err == nil {
			t.Error("no error")
		}
	}
}

// Visits come at their interval, later and later while they fail, up to a
// limit, and at the interval again.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		var at []time.Duration
		run(ctx, Options{Interval: time.Minute, Logger: slog.New(slog.DiscardHandler)}, func(context.Context) error {
			at = append(at, time.Since(start))
			switch len(at) {
			case 1, 9:
				return nil
			case 10:
				cancel()
			}
			return errDisk
		})
		minutes := []int{0, 1, 3, 7, 15, 31, 61, 91, 121, 122}
		for i, want := range minutes {
			if i >= len(at) || at[i] != time.Duration(want)*time.Minute {
				t.Fatalf("visits at %v, want minutes %v", at, minutes)
			}
		}
	})
}
