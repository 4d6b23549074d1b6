package esdbtest

import (
	"context"
	"encoding/base64"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// node is one server: its listener, and the connections that it has.
type node struct {
	serverfeatures.UnimplementedServerFeaturesServer
	streams.UnimplementedStreamsServer
	cluster *Cluster
	number  int
	address string

	mu     sync.Mutex
	server *grpc.Server // nil: stopped
	conns  map[string]net.Conn
}

// often is how often clients ping: every ten seconds, with nothing under way too.
var often = keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}

func (n *node) start(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	options := []grpc.ServerOption{grpc.MaxRecvMsgSize(n.cluster.message), grpc.KeepaliveEnforcementPolicy(often)}
	if creds := n.cluster.credentials(); creds != nil {
		options = append(options, grpc.Creds(creds))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.address, n.server, n.conns = l.Addr().String(), grpc.NewServer(options...), map[string]net.Conn{}
	serverfeatures.RegisterServerFeaturesServer(n.server, n)
	streams.RegisterStreamsServer(n.server, n)
	gossip.RegisterGossipServer(n.server, talker{node: n})
	go func(s *grpc.Server) { _ = s.Serve(listener{l, n}) }(n.server)
	return nil
}

func (n *node) stop() {
	n.mu.Lock()
	s := n.server
	n.server = nil
	n.mu.Unlock()
	if s != nil {
		s.Stop()
	}
}

func (n *node) alive() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.server != nil
}

// drop closes all connections.
func (n *node) drop() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		_ = c.Close()
	}
	return len(n.conns)
}

// cut closes the connection that a call came by.
func (n *node) cut(ctx context.Context) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if c := n.conns[p.Addr.String()]; c != nil {
		_ = c.Close()
	}
}

// listener tells its node of each connection.
type listener struct {
	net.Listener
	node *node
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.node.mu.Lock()
	defer l.node.mu.Unlock()
	l.node.conns[c.RemoteAddr().String()] = c
	return connection{c, l.node}, nil
}

type connection struct {
	net.Conn
	node *node
}

func (c connection) Close() error {
	c.node.mu.Lock()
	delete(c.node.conns, c.RemoteAddr().String())
	c.node.mu.Unlock()
	return c.Conn.Close()
}

// GetSupportedMethods implements ServerFeatures.
func (n *node) GetSupportedMethods(ctx context.Context, _ *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	if err := n.fault(ctx, Call{Method: "GetSupportedMethods"}); err != nil {
		return nil, err
	}
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	m := &serverfeatures.SupportedMethods{EventStoreServerVersion: n.cluster.version}
	for _, name := range []string{"read", "append", "delete", "tombstone", "batchappend"} {
		m.Methods = append(m.Methods, &serverfeatures.SupportedMethod{ServiceName: "event_store.client.streams.streams", MethodName: name})
	}
	return m, nil
}

// talker is the node as a gossip.
type talker struct {
	gossip.UnimplementedGossipServer
	node *node
}

// Read implements Gossip.
func (t talker) Read(ctx context.Context, _ *shared.Empty) (*gossip.ClusterInfo, error) {
	if err := t.node.fault(ctx, Call{Method: "Gossip"}); err != nil {
		return nil, err
	}
	info := &gossip.ClusterInfo{}
	for _, n := range t.node.cluster.nodes {
		host, port := n.endpoint()
		m := &gossip.MemberInfo{State: gossip.MemberInfo_Follower, IsAlive: n.alive(), HttpEndPoint: &gossip.EndPoint{Address: host, Port: port}}
		if n.number == n.cluster.Leader() {
			m.State = gossip.MemberInfo_Leader
		}
		info.Members = append(info.Members, m)
	}
	return info, nil
}

func (n *node) endpoint() (host string, port uint32) {
	host, text, _ := net.SplitHostPort(n.address)
	number, _ := strconv.ParseUint(text, 10, 16)
	return host, uint32(number)
}

// admit refuses a call without credentials, or one that only the leader may answer.
func (n *node) admit(ctx context.Context, trailer func(metadata.MD)) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if c := n.cluster; c.user != "" {
		want := "Basic " + base64.StdEncoding.EncodeToString([]byte(c.user+":"+c.secret))
		switch got := md.Get("authorization"); {
		case len(got) == 0:
			return refused(trailer, codes.PermissionDenied, "Access Denied", "exception", "access-denied")
		case got[0] != want:
			return status.Error(codes.Unauthenticated, "Unauthenticated")
		}
	}
	leader := n.cluster.Leader()
	if asked := md.Get("requires-leader"); len(asked) > 0 && asked[0] == "true" && leader != n.number {
		host, port := n.cluster.nodes[leader].endpoint()
		return refused(trailer, codes.NotFound, "Leader info available",
			"exception", "not-leader", "leader-endpoint-host", host, "leader-endpoint-port", strconv.Itoa(int(port)))
	}
	return nil
}

// refused is a status, and trailers beside it.
func refused(trailer func(metadata.MD), code codes.Code, message string, trailers ...string) error {
	trailer(metadata.Pairs(trailers...))
	return status.Error(code, message)
}
