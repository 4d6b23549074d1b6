// Package subscriber is one person in one account: the data subject.
package subscriber

import "github.com/cleversender/cleversender/domain"

// ID names a person in an account. The same address in two accounts is two IDs.
type ID = domain.ID

const prefix = "subscriber-"

// Stream is where everything decided about the person lives.
func Stream(id ID) string { return prefix + id.String() }

// A Source says how data reached us. Names are stored.
type Source string

const (
	SourceAPI    Source = "api"
	SourceImport Source = "import"
	SourceForm   Source = "form"
)
