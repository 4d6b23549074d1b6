package eventstoredb

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	rpc "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/cleversender/cleversender/adapters/eventlog"
)

// line returns the open line, or opens one.
func (p *pipe) line(ctx context.Context) (*line, error) {
	p.mu.Lock()
	ln := p.now
	if ln == nil {
		ln = &line{ready: make(chan struct{}), ended: make(chan struct{}), waiting: map[uuid.UUID]chan<- answer{}}
		p.now = ln
		go p.open(ln, p.leader)
	}
	p.mu.Unlock()
	select {
	case <-ln.ready:
		return ln, nil
	case <-ln.ended:
		return nil, ln.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// open connects a line to the leader; "": it is to be found.
func (p *pipe) open(ln *line, leader string) {
	ctx, cancel := context.WithCancel(fromLeader(context.Background()))
	ln.cancel = cancel
	late := time.AfterFunc(p.timeout, cancel)
	err := p.connect(ctx, ln, leader)
	late.Stop()
	if err != nil {
		p.end(ln, p.redirected(sorted(err), nil))
		return
	}
	close(ln.ready)
	p.receive(ln)
}

func (p *pipe) connect(ctx context.Context, ln *line, leader string) (err error) {
	if leader == "" {
		if leader, err = p.find(ctx); err != nil {
			return err
		}
	}
	if ln.conn, err = p.dial(leader); err != nil {
		return err
	}
	ln.call, err = streams.NewStreamsClient(ln.conn).BatchAppend(ctx)
	return err
}

// find asks for the leader's address: a single server is it, or names it.
func (p *pipe) find(ctx context.Context) (string, error) {
	seeds := []string{p.config.Address}
	if len(p.config.GossipSeeds) > 0 {
		seeds = seeds[:0]
		for _, s := range p.config.GossipSeeds {
			seeds = append(seeds, s.String())
		}
	} else if !p.config.DnsDiscover {
		return p.config.Address, nil
	}
	err := errors.New("the cluster has no leader")
	for _, seed := range seeds {
		leader, failed := p.ask(ctx, seed)
		if failed == nil && leader != "" {
			return leader, nil
		}
		if failed != nil {
			err = failed
		}
	}
	return "", err
}

func (p *pipe) ask(ctx context.Context, seed string) (leader string, err error) {
	conn, err := p.dial(seed)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	info, err := gossip.NewGossipClient(conn).Read(ctx, &shared.Empty{})
	if err != nil {
		return "", err
	}
	for _, m := range info.Members {
		if m.IsAlive && m.State == gossip.MemberInfo_Leader {
			return net.JoinHostPort(m.HttpEndPoint.GetAddress(), fmt.Sprint(m.HttpEndPoint.GetPort())), nil
		}
	}
	return "", nil
}

// redirected remembers the leader that a server names with its refusal, and
// forgets it for any other end.
func (p *pipe) redirected(err error, trailer metadata.MD) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leader = ""
	host, port := trailer.Get("leader-endpoint-host"), trailer.Get("leader-endpoint-port")
	if len(host) > 0 && len(port) > 0 {
		p.leader = net.JoinHostPort(host[0], port[0])
		return interrupted{err, true}
	}
	return err
}

// dial connects as the client does, with credentials in TLS only.
func (p *pipe) dial(address string) (*grpc.ClientConn, error) {
	c := p.config
	transport := insecure.NewCredentials()
	if !c.DisableTLS {
		t := &tls.Config{InsecureSkipVerify: c.SkipCertificateVerification, RootCAs: c.RootCAs}
		if c.UserCertFile != "" {
			pair, err := tls.LoadX509KeyPair(c.UserCertFile, c.UserKeyFile)
			if err != nil {
				return nil, fmt.Errorf("event store: user certificate: %w", err)
			}
			t.Certificates = []tls.Certificate{pair}
		}
		transport = credentials.NewTLS(t)
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(transport)}
	if c.Username != "" {
		options = append(options, grpc.WithPerRPCCredentials(basic{c}))
	}
	if c.KeepAliveInterval >= 0 {
		options = append(options, grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: c.KeepAliveInterval, Timeout: c.KeepAliveTimeout, PermitWithoutStream: true,
		}))
	}
	return grpc.NewClient(address, options...)
}

// basic is RFC 7617's credentials.
type basic struct{ config *esdb.Configuration }

func (b basic) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	pair := base64.StdEncoding.EncodeToString([]byte(b.config.Username + ":" + b.config.Password))
	return map[string]string{"authorization": "Basic " + pair}, nil
}

func (basic) RequireTransportSecurity() bool { return true }

// unpacked is the error that an answer holds; nil: none.
func unpacked(s *rpc.Status) error {
	if s == nil {
		return nil
	}
	err := status.ErrorProto(s)
	for _, detail := range s.Details {
		switch {
		case detail.MessageIs(&shared.WrongExpectedVersion{}):
			return errWrongRevision
		case detail.MessageIs(&shared.StreamDeleted{}):
			return errStreamDeleted
		case detail.MessageIs(&shared.MaximumAppendSizeExceeded{}):
			return eventlog.ErrTooLarge
		case detail.MessageIs(&shared.AccessDenied{}), detail.MessageIs(&shared.BadRequest{}):
			return fmt.Errorf("event store: %w", err)
		}
	}
	switch codes.Code(s.Code) {
	case codes.PermissionDenied, codes.Unauthenticated, codes.InvalidArgument:
		return fmt.Errorf("event store: %w", err)
	default:
		return interrupted{err, true}
	}
}
