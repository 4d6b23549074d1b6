package smtp

// Kind is what became of a message.
type Kind string

const (
	// Accepted: the server took responsibility for the message (RFC 5321, section 4.2.5).
	Accepted Kind = "accepted"
	// Deferred: not now. Either the server said so (4yz), or nothing that it
	// could deliver ever reached it (Code 0). Sending again is safe.
	Deferred Kind = "deferred"
	// Failed: no. The server said so (5yz), or the message cannot be sent (Code 0).
	Failed Kind = "failed"
	// Unknown: the connection was lost, or the reply was nonsense, after the
	// end of the message may have left and before the server answered for it.
	// Sending again may deliver twice.
	Unknown Kind = "unknown"
)

// Outcome is what came of one message.
type Outcome struct {
	Kind     Kind
	Code     int    // SMTP reply code; 0 when no reply decided
	Enhanced string // RFC 3463, "5.1.1"; "" when not given
	Text     string // what the server said: may quote the address, so it is personal data
}
