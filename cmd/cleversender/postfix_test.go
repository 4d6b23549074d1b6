package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const postfixMaster = "/usr/lib/postfix/sbin/master"

// postfix is a mail server from Debian that delivers what comes for example.org
// into one maildir. It lives in a folder of its own and leaves nothing.
type postfix struct {
	t    *testing.T
	dir  string
	addr string
}

// missing skips a test that cannot run on this machine; where every change is
// tested (CI=true), it fails instead.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("this test needs " + what + "; make test installs it on Debian")
	}
	t.Skip("this test needs " + what + "; make test installs it on Debian")
}

func startPostfix(t *testing.T) *postfix {
	t.Helper()
	if _, err := os.Stat(postfixMaster); err != nil || os.Getuid() != 0 { // its parts run as users of their own
		missing(t, "postfix, and to run as root")
	}
	dir, err := os.MkdirTemp("", "postfix") // not t.TempDir: others than root have to get in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &postfix{t: t, dir: dir, addr: freeAddress(t)}
	p.folders()
	p.configure()
	p.run()
	return p
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (p *postfix) folders() {
	p.t.Helper()
	owner := number(p.t, "postfix")
	for path, of := range map[string]int{
		"": 0, "etc": 0, "spool": 0, "spool/pid": 0, "data": owner, "mail": owner,
		"spool/active": owner, "spool/bounce": owner, "spool/corrupt": owner, "spool/defer": owner, "spool/deferred": owner,
		"spool/flush": owner, "spool/hold": owner, "spool/incoming": owner, "spool/maildrop": owner, "spool/private": owner,
		"spool/public": owner, "spool/saved": owner, "spool/trace": owner,
	} {
		path = filepath.Join(p.dir, path)
		if err := os.MkdirAll(path, 0o755); err != nil {
			p.t.Fatal(err)
		}
		if err := os.Chmod(path, 0o755); err != nil {
			p.t.Fatal(err)
		}
		if err := os.Chown(path, of, -1); err != nil {
			p.t.Fatal(err)
		}
	}
}

// number is the id of a user of the system.
func number(t *testing.T, name string) int {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	id, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (p *postfix) configure() {
	p.t.Helper()
	owner := number(p.t, "postfix")
	p.write("main.cf", fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/spool
data_directory = %[1]s/data
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
myhostname = mx.example.org
mydestination =
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
smtpd_relay_restrictions = reject_unauth_destination
smtputf8_enable = yes
virtual_mailbox_domains = example.org
virtual_mailbox_base = %[1]s/mail
virtual_mailbox_maps = static:inbox/
virtual_minimum_uid = 1
virtual_uid_maps = static:%[2]d
virtual_gid_maps = static:%[2]d
`, p.dir, owner))
	p.write("master.cf", p.addr+` inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`)
}

func (p *postfix) write(name, content string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, "etc", name), []byte(content), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// run starts the server as a child, whose end ends all of its parts, and waits
// until it answers.
func (p *postfix) run() {
	p.t.Helper()
	cmd := exec.Command(postfixMaster, "-c", filepath.Join(p.dir, "etc"), "-d")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	p.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		if p.t.Failed() {
			log, _ := os.ReadFile(filepath.Join(p.dir, "log"))
			p.t.Logf("postfix: %s%s", &said, log)
		}
	})
	for started := time.Now(); time.Since(started) < processTime; time.Sleep(10 * time.Millisecond) {
		select {
		case <-ended:
			p.t.Fatal("postfix did not start")
		default:
		}
		conn, err := net.Dial("tcp", p.addr)
		if err != nil {
			continue
		}
		defer conn.Close()
		if err := conn.SetReadDeadline(time.Now().Add(processTime)); err != nil {
			p.t.Fatal(err)
		}
		greeting := make([]byte, 4)
		if _, err := conn.Read(greeting); err != nil || string(greeting) != "220 " {
			p.t.Fatalf("postfix greets with %q: %v", greeting, err)
		}
		return
	}
	p.t.Fatal("postfix does not answer")
}

// delivered waits for n messages, and returns them as they lie in the mailbox.
func (p *postfix) delivered(n int) (messages []string) {
	p.t.Helper()
	for started := time.Now(); time.Since(started) < processTime; time.Sleep(10 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(p.dir, "mail/inbox/new/*"))
		if err != nil {
			p.t.Fatal(err)
		}
		if len(files) < n {
			continue
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				p.t.Fatal(err)
			}
			messages = append(messages, strings.ReplaceAll(string(raw), "\n", "\r\n"))
		}
		return messages
	}
	p.t.Fatalf("postfix has not delivered %d messages", n)
	return nil
}
