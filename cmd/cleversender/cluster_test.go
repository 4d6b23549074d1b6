package main

import (
	"flag"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/jackc/pgx/v5"
)

var (
	clusterRecipients = flag.Int("cluster.recipients", 8000, "TestCluster: how many people get the campaign")
	clusterBlows      = flag.Int("cluster.blows", 5, "TestCluster: how often a node is killed or paused, or loses its connections, on the way")
)

// lease is how long a silent node of the test keeps its work: longer than it
// takes to replace a dead node in everything else.
const lease = 8 * time.Second

// cluster is nodes on one database, each in a house of its own.
type cluster struct {
	t      *testing.T
	mail   *tally
	nodes  []*node
	paused sync.WaitGroup
}

// node is a process, or its successor.
type node struct {
	home  *house
	flags []string
	*server
	until time.Time // paused
}

// newCluster starts a node for each mix of roles.
func newCluster(t *testing.T, mail *tally, database string, mixes ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, mail: mail}
	for i, roles := range mixes {
		n := &node{flags: []string{"--lease", lease.String()}}
		if i == 0 {
			n.home = newSharedHouse(t, database)
		} else {
			n.home = c.nodes[0].home.beside()
		}
		if roles != "" {
			n.flags = append(n.flags, "--roles", roles)
		}
		c.nodes = append(c.nodes, n)
		c.start(n)
	}
	return c
}

func (c *cluster) start(n *node) { n.server = n.home.serve(c.mail.URL(), n.flags...) }

// any is a node that is not paused.
func (c *cluster) any() *node {
	for {
		if n := c.nodes[rand.IntN(len(c.nodes))]; time.Now().After(n.until) {
			return n
		}
		time.Sleep(time.Millisecond)
	}
}

// kill ends a node at once.
func (c *cluster) kill() *node {
	n := c.any()
	n.signal(syscall.SIGKILL)
	if code := n.wait(); code != -1 {
		c.t.Fatalf("the node ended by itself with %d: %s", code, n.said())
	}
	return n
}

// pause stops a node as a hypervisor does: it notices nothing.
func (c *cluster) pause(d time.Duration) {
	n := c.any()
	n.until = time.Now().Add(d + time.Second)
	n.signal(syscall.SIGSTOP)
	c.paused.Go(func() {
		time.Sleep(d)
		n.signal(syscall.SIGCONT)
	})
}

// cut ends every connection to the database.
func (c *cluster) cut() {
	conn, err := pgx.Connect(c.t.Context(), c.nodes[0].home.database)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = conn.Close(c.t.Context()) }()
	const all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
	if _, err := conn.Exec(c.t.Context(), all); err != nil {
		c.t.Fatal(err)
	}
}

// stop ends every node in order.
func (c *cluster) stop() {
	c.paused.Wait()
	for _, n := range c.nodes {
		n.signal(syscall.SIGTERM)
	}
	for _, n := range c.nodes {
		if code := n.wait(); code != exitOK {
			c.t.Errorf("a node exits with %d: %s", code, n.said())
		}
		if log := n.said(); strings.Contains(log, `"level":"ERROR"`) {
			c.t.Errorf("a node complains: %s", log)
		}
	}
}

// await waits for something that has to come; what the nodes say tells why it does not.
func (c *cluster) await(done <-chan struct{}) {
	select {
	case <-done:
	case <-time.After(time.Minute):
		for _, n := range c.nodes {
			c.t.Logf("a node (%v) says: %s", n.flags, n.said())
		}
		c.t.Fatalf("no more than %d messages come", c.mail.count())
	}
}

// Three nodes with different roles share a campaign. Whichever of them is
// killed, paused (some for longer than its lease) or cut off from the database,
// nobody gets two messages, whoever got none is reported as unknown, those are
// few, and the campaign ends by itself.
func TestCluster(t *testing.T) {
	t.Parallel()
	people, blows := *clusterRecipients, *clusterBlows
	most := inDoubt(people)
	stretch := people/blows - most
	mail := newTally(t)
	c := newCluster(t, mail, pgtest.Database(t), "", "api,sender", "tracking,projections,sender")
	h := c.nodes[0].home
	mailing := h.draft(people)
	began := time.Now()
	held := mail.arm(rand.IntN(stretch))
	h.cli("campaign", "start", mailing)
	dealt := map[string]int{}
	for k := range blows {
		c.await(held)
		time.Sleep(rand.N(20 * time.Millisecond))
		kind := []string{"kill", "long pause", "cut", "pause", "kill"}[k%5]
		dealt[kind]++
		t.Logf("%s after %d messages", kind, mail.count())
		var killed *node
		switch kind {
		case "kill":
			killed = c.kill()
		case "pause":
			c.pause(rand.N(time.Second))
		case "long pause":
			c.pause(lease + rand.N(lease/2))
		case "cut":
			c.cut()
		}
		if k+1 < blows { // armed before it is released, so that the campaign waits for the next
			held = mail.arm((k+1)*stretch + rand.IntN(stretch))
		}
		mail.release()
		if killed != nil {
			c.start(killed)
		}
	}
	c.paused.Wait()
	r := c.nodes[0].finished(mailing)
	took := time.Since(began)
	c.stop()
	h.whole()
	twice := mail.twice()
	missing := mail.missing(people)
	lost := len(missing) - h.unknown(mailing, missing)
	t.Logf("blows %v, sent %d, unknown %d, withheld %d, failed %d, got nothing %d", dealt, r.Sent, r.Unknown, r.Withheld, r.Failed, len(missing))
	t.Logf("duplicates %d, missing without being unknown %d, seconds %.1f", twice, lost, took.Seconds())
	if twice > 0 || lost > 0 {
		t.Error("somebody got two messages, or none and it is not known")
	}
	struck := dealt["kill"] + dealt["pause"] + dealt["long pause"]
	if r.Sent+r.Unknown != people || len(missing) > r.Unknown || r.Unknown > struck*most {
		t.Errorf("%d sent and %d unknown of %d, and %d got nothing; at most %d unknown a kill or pause", r.Sent, r.Unknown, people, len(missing), most)
	}
}

// A database that crashes in mid-campaign and stays away for a while holds the
// campaign up and does nothing else: everybody gets one message, and it is known of all.
func TestTheDatabaseCrashes(t *testing.T) {
	t.Parallel()
	const people, crashes = 4000, 3
	database := pgtest.Own(t)
	url, err := database.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mail := newTally(t)
	c := newCluster(t, mail, url, "", "tracking,projections,sender")
	h := c.nodes[0].home
	mailing := h.draft(people)
	held := mail.arm(1 + rand.IntN(people/crashes/2))
	h.cli("campaign", "start", mailing)
	for k := range crashes {
		c.await(held)
		away := rand.N(1500 * time.Millisecond)
		t.Logf("the database is away for %v, after %d messages", away, mail.count())
		if k+1 < crashes {
			held = mail.arm((k+1)*people/crashes/2 + rand.IntN(people/crashes/2))
		} else {
			mail.disarm()
		}
		go func() { // while it is away, messages leave and results come
			time.Sleep(away / 2)
			mail.release()
		}()
		if err := database.Restart(t.Context(), away); err != nil {
			t.Fatal(err)
		}
	}
	r := c.nodes[0].finished(mailing)
	c.stop()
	h.whole()
	if twice, missing := mail.twice(), mail.missing(people); twice > 0 || len(missing) > 0 || r.Sent != people {
		t.Errorf("%d got two messages, %d none; %d sent, %d unknown of %d", twice, len(missing), r.Sent, r.Unknown, people)
	}
}
