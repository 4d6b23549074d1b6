package eventstoredb_test

import (
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
)

// A date that is no number would end the process in the client; it arrives as one.
func TestADateThatCannotBeReadIsReplaced(t *testing.T) {
	for said, want := range map[string]string{"17637600000000000": "17637600000000000", "": "0", "yesterday": "0", "-1": "0", "99999999999999999999999": "0"} {
		sent := &streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
			Event: &streams.ReadResp_ReadEvent_RecordedEvent{Metadata: map[string]string{"created": said}},
		}}}
		codec := encoding.GetCodecV2(proto.Name)
		raw, err := codec.Marshal(sent)
		if err != nil {
			t.Fatal(err)
		}
		var got streams.ReadResp
		if err := codec.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if created := got.GetEvent().GetEvent().Metadata["created"]; created != want {
			t.Errorf("%q arrives as %q, want %q", said, created, want)
		}
	}
}
