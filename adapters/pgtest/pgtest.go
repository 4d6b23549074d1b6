// Package pgtest gives tests a PostgreSQL cluster of their own: in a temporary
// folder, on a free port of loopback, run by an unprivileged user, and gone
// with the tests, however they end.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrMissing: PostgreSQL's server is not installed here.
var ErrMissing = errors.New("PostgreSQL is not installed")

// Cluster is a running PostgreSQL server.
type Cluster struct {
	dir  string
	port int
	bin  string   // where the server's programs are
	args []string // of the server
	as   *syscall.Credential
	cmd  *exec.Cmd
	done chan struct{}
	made int
	mu   sync.Mutex
}

// Start starts a cluster; settings are as in postgresql.conf, such as
// "fsync=on", which is off otherwise: a server that is killed loses nothing by it.
func Start(ctx context.Context, settings ...string) (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: bin}
	if c.dir, err = os.MkdirTemp("", "pgtest-"); err != nil {
		return nil, err
	}
	err = c.init(ctx, settings)
	if err == nil {
		err = c.launch(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// init makes the cluster and settles how its server is run.
func (c *Cluster) init(ctx context.Context, settings []string) (err error) {
	if c.as, err = unprivileged(); err != nil {
		return err
	}
	if c.as != nil {
		if err := os.Chown(c.dir, int(c.as.Uid), int(c.as.Gid)); err != nil {
			return err
		}
	}
	data := filepath.Join(c.dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(c.bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = c.dir, &syscall.SysProcAttr{Credential: c.as}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	if c.port, err = freePort(ctx); err != nil {
		return err
	}
	c.args = []string{"-D", data, "-k", c.dir, "-p", strconv.Itoa(c.port), "-c", "listen_addresses=127.0.0.1"}
	for _, s := range append([]string{"fsync=off", "max_connections=200"}, settings...) {
		c.args = append(c.args, "-c", s)
	}
	return nil
}

// launch starts the server and waits until it answers.
func (c *Cluster) launch(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	c.done = make(chan struct{})
	c.cmd = exec.Command(filepath.Join(c.bin, "postgres"), c.args...)
	c.cmd.Dir, c.cmd.Stdout, c.cmd.Stderr = c.dir, log, log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as, Setpgid: true, Pdeathsig: syscall.SIGQUIT}
	begun := make(chan error)
	go c.run(log, begun)
	if err := <-begun; err != nil {
		c.cmd = nil
		return err
	}
	return c.ready(ctx)
}

// run holds on to the thread that the server dies with, and with it the process.
func (c *Cluster) run(log *os.File, begun chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer func() { _ = log.Close() }()
	err := c.cmd.Start()
	if begun <- err; err == nil {
		_ = c.cmd.Wait()
		close(c.done)
	}
}

func (c *Cluster) ready(ctx context.Context) error {
	for {
		conn, err := pgx.Connect(ctx, c.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-c.done:
			log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
			return fmt.Errorf("postgres ended: %s", log)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// URL is where a database of the cluster is.
func (c *Cluster) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", c.port, database)
}

// Create makes an empty database and returns its URL.
func (c *Cluster) Create(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return "", err
	}
	c.made++
	name := "test" + strconv.Itoa(c.made)
	_, err = conn.Exec(ctx, "CREATE DATABASE "+name)
	return c.URL(name), errors.Join(err, conn.Close(ctx))
}

// Restart ends the server as a crash does, keeps it away for a while, and starts it again.
func (c *Cluster) Restart(ctx context.Context, away time.Duration) error {
	c.crash()
	time.Sleep(away)
	return c.launch(ctx)
}

func (c *Cluster) crash() {
	_ = c.cmd.Process.Signal(syscall.SIGQUIT) // immediate shutdown
	<-c.done
}

// Stop ends the server at once and removes its folder.
func (c *Cluster) Stop() error {
	if c.cmd != nil {
		c.crash()
	}
	return os.RemoveAll(c.dir)
}

var shared struct {
	once    sync.Once
	cluster *Cluster
	err     error
}

// Database is the URL of an empty database, on a cluster that the tests of the
// package share. The package's TestMain has to be Main.
func Database(t testing.TB) string {
	t.Helper()
	shared.once.Do(func() { shared.cluster, shared.err = Start(t.Context()) })
	need(t, shared.err)
	url, err := shared.cluster.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// Own is a cluster of this test's own, which it may do anything to.
func Own(t testing.TB, settings ...string) *Cluster {
	t.Helper()
	c, err := Start(t.Context(), settings...)
	need(t, err)
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// need ends a test that has no server: as left out, where PostgreSQL is not installed.
func need(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, ErrMissing) && os.Getenv("CI") == "" {
		t.Skip("this test needs PostgreSQL; make test installs it on Debian")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Main runs a package's tests and ends the cluster that they shared.
func Main(m *testing.M) (code int) {
	code = m.Run()
	if shared.cluster != nil {
		if err := shared.cluster.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// binaries is where Debian, or whoever packages it, puts the newest server.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if len(found) > 0 {
		return filepath.Dir(found[0]), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", ErrMissing
}

func version(initdb string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	return n
}

// unprivileged is whom the server runs as when the tests run as root, which it
// refuses; nil: as ourselves.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

func freePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
