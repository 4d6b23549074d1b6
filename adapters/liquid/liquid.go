// Package liquid renders a campaign's template for one recipient, piece by
// piece, and never lets a template take more time, memory or output than it is
// given.
//
// Templates may use
//
//	{{ name }} {{ email }}        who the message is for; empty when not known
//	{{ attributes.city }}         what the account holds about them, by column name
//	{{ list }} {{ campaign }}     the names of the list and of the campaign
//	{{ unsubscribe_url }}         where they leave; put it into every message
//	{{ view_url }}                the message in a browser; empty when there is no such page
//
// and the tags and filters of Liquid, but for include, safe, inspect and type.
// An unknown variable is empty; an unknown filter or tag is an error of Compile.
//
// In the HTML part whatever a variable or a filter yields is escaped: a name is
// text, never markup. Write attribute values in quotes, or that cannot hold. In
// the subject and the text part nothing is escaped, and a subject is one line.
//
// How a template is stopped: loops count iterations over the whole message and
// look at the clock; ranges stand in for tags only, so that no filter unrolls
// them; no value grows beyond 128 kB; a single tag is at most 4 kB; output is
// written through a limit. A rendering error says which part and line, and
// never what was being rendered.
package liquid

import (
	"fmt"
	"time"

	"github.com/cleversender/cleversender/domain"
)

// Limits bounds what one message may take.
type Limits struct {
	OutputBytes int           // of each part
	Iterations  int           // of all loops together
	Time        time.Duration // from start to end; 0: no limit
}

// DefaultLimits is far more than a message needs.
var DefaultLimits = Limits{OutputBytes: 1 << 20, Iterations: 10_000, Time: 200 * time.Millisecond}

const (
	maxSource = 512 << 10 // bytes of a part's source
	maxTag    = 4 << 10   // bytes of one tag
	maxDepth  = 64        // blocks inside blocks
	maxValue  = 128 << 10 // bytes of a value on its way through filters
	maxItems  = 10_000    // of a list in a filter
	maxLinks  = 1000      // tracked links of a message
)

// Vars is what a template can name.
type Vars struct {
	Name, Email    string
	Attributes     map[string]string
	List, Campaign string
	UnsubscribeURL string
	ViewURL        string

	// LinkURL appends the URL that stands for tracked link i, whose target is
	// Links()[i]. nil leaves the links as they were written.
	LinkURL func(dst []byte, i int) []byte
	// PixelURL appends the open pixel's URL; nil for no pixel.
	PixelURL func(dst []byte) []byte
}

// Message is a template, rendered.
type Message struct{ Subject, HTML, Text string }

// Codes of refusals. They are API.
const (
	CodeInvalid  = "template_invalid"
	CodeTooSlow  = "template_too_slow"
	CodeTooLarge = "template_too_large"
)

var (
	errTooSlow   = domain.Refuse(CodeTooSlow, "the template takes too many steps or too long")
	errTooLarge  = domain.Refuse(CodeTooLarge, "the template makes a message that is too large")
	errSourceBig = domain.Refuse(CodeTooLarge, fmt.Sprintf("a part of the template is larger than %d kB", maxSource>>10))
)

func invalid(part string, line int, why string) error {
	return domain.Refuse(CodeInvalid, fmt.Sprintf("template, %s, line %d: %s", part, line, why))
}
