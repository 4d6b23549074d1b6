package eventstoredb

import (
	"io"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/grpclog"
	"google.golang.org/grpc/mem"
)

// readable is gRPC's codec, which makes of two kinds of messages what the
// client can read: it finds no server whose version is not x.y.z, and ends the
// process at a date that is no number. The codec is the one place between the
// server and the client; there is one for the whole process.
type readable struct{ encoding.CodecV2 }

// Nor does gRPC get to write to standard error: what fails comes back as an error.
func init() {
	encoding.RegisterCodecV2(readable{encoding.GetCodecV2(proto.Name)})
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
}

// Unmarshal implements encoding.CodecV2.
func (c readable) Unmarshal(data mem.BufferSlice, v any) error {
	if err := c.CodecV2.Unmarshal(data, v); err != nil {
		return err
	}
	switch m := v.(type) {
	case *serverfeatures.SupportedMethods:
		m.EventStoreServerVersion = version(m.EventStoreServerVersion)
	case *streams.ReadResp:
		if e := m.GetEvent().GetEvent(); e != nil {
			date(e)
		}
	}
	return nil
}

// version is x.y.z of whatever a server calls itself.
func version(said string) string {
	parts := strings.SplitN(said, ".", 4)
	parts = parts[:min(3, len(parts))]
	for i, part := range parts {
		end := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' })
		if end >= 0 {
			part = part[:end]
		}
		if parts[i] = part; part == "" || len(part) > 9 {
			parts[i] = "0"
		}
	}
	return strings.Join(parts, ".")
}

// date sets a date that cannot be read to that of 1970. We have our own.
func date(e *streams.ReadResp_ReadEvent_RecordedEvent) {
	said := e.Metadata["created"]
	digits := strings.IndexFunc(said, func(r rune) bool { return r < '0' || r > '9' }) < 0
	if said != "" && digits && len(said) <= 18 {
		return
	}
	if e.Metadata == nil {
		e.Metadata = map[string]string{}
	}
	e.Metadata["created"] = "0"
}
