// Package esdbtest is EventStoreDB for tests: nodes that speak its gRPC
// protocol (v1: ServerFeatures, Gossip, Streams) on loopback, share one log
// in memory, and fail as a test wants them to.
package esdbtest

import (
	"crypto/tls"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/credentials"
)

// Cluster is nodes with one log. Its fields are set before Start's caller
// connects, but for what has a method.
type Cluster struct {
	nodes   []*node
	store   *store
	leader  atomic.Int32
	faults  atomic.Pointer[Faults]
	limit   int
	message int
	tls     *tls.Config
	caFile  string
	user    string // with password, in TLS only
	secret  string

	mu      sync.Mutex
	version string
}

// Option sets up a cluster.
type Option func(*Cluster)

// MaxAppendSize is the server's setting; 1 MiB without it, as on 24.10. It
// counts data, metadata and type names, as newer servers do.
func MaxAppendSize(bytes int) Option { return func(c *Cluster) { c.limit = bytes } }

// MaxMessageSize is how large one gRPC message may be; 17 MiB without it.
func MaxMessageSize(bytes int) Option { return func(c *Cluster) { c.message = bytes } }

// Credentials are asked for by Streams from then on.
func Credentials(user, password string) Option {
	return func(c *Cluster) { c.user, c.secret = user, password }
}

// TLS has the nodes speak TLS, with a certificate of the test's own.
func TLS() Option { return func(c *Cluster) { c.tls = &tls.Config{} } }

// Start runs a cluster of so many nodes until the test ends; the first leads.
func Start(t testing.TB, nodes int, options ...Option) *Cluster {
	t.Helper()
	c := &Cluster{store: newStore(), limit: 1 << 20, message: 17 << 20, version: "24.10.5"}
	for _, o := range options {
		o(c)
	}
	if c.tls != nil {
		c.certify(t)
	}
	for i := range nodes {
		n := &node{cluster: c, number: i}
		if err := n.start("127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		c.nodes = append(c.nodes, n)
	}
	t.Cleanup(func() {
		for _, n := range c.nodes {
			n.stop()
		}
	})
	return c
}

func (c *Cluster) credentials() credentials.TransportCredentials {
	if c.tls == nil {
		return nil
	}
	return credentials.NewTLS(c.tls)
}

// URL names the nodes, as the adapter takes it: esdb:// for one node, and
// esdb+discover:// for more.
func (c *Cluster) URL() string {
	scheme := "esdb://"
	var hosts []string
	for _, n := range c.nodes {
		hosts = append(hosts, n.address)
	}
	if len(hosts) > 1 {
		scheme = "esdb+discover://"
	}
	user := ""
	if c.user != "" {
		user = c.user + ":" + c.secret + "@"
	}
	query := "?tls=false"
	if c.tls != nil {
		query = "?tls=true&tlsCAFile=" + c.caFile
	}
	if c.limit != 1<<20 {
		query += fmt.Sprint("&maxAppendSize=", c.limit)
	}
	return scheme + user + strings.Join(hosts, ",") + query
}

// Only names one node, as a single one.
func (c *Cluster) Only(node int) string {
	return fmt.Sprintf("esdb://%s?tls=false", c.nodes[node].address)
}

// Lead makes a node the leader.
func (c *Cluster) Lead(node int) { c.leader.Store(int32(node)) }

// Leader is the node that leads.
func (c *Cluster) Leader() int { return int(c.leader.Load()) }

// Say sets the version that the nodes claim to be.
func (c *Cluster) Say(version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version = version
}

// Drop closes every connection to every node.
func (c *Cluster) Drop() (connections int) {
	for _, n := range c.nodes {
		connections += n.drop()
	}
	return connections
}

// Connections is how many the nodes have.
func (c *Cluster) Connections() (all int) {
	for _, n := range c.nodes {
		n.mu.Lock()
		all += len(n.conns)
		n.mu.Unlock()
	}
	return all
}

// Stop ends a node, as a crash would; what was acknowledged stays in the log.
func (c *Cluster) Stop(node int) { c.nodes[node].stop() }

// Restart runs a stopped node again, where it was.
func (c *Cluster) Restart(t testing.TB, node int) {
	t.Helper()
	var err error
	for range 100 { // the port may yet be in use by what the node has dropped
		if err = c.nodes[node].start(c.nodes[node].address); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal(err)
}
