// Package contactimport is one file of contacts on its way into a list.
package contactimport

import "github.com/cleversender/cleversender/domain"

// ID names an import.
type ID = domain.ID

// Stream is where the import's events live.
func Stream(id ID) string { return "import-" + id.String() }

// A Status is how far an import has come. Names are API.
type Status string

const (
	None    Status = ""
	Running Status = "running"
	Done    Status = "finished"
	Broken  Status = "failed"
)

// Import is what decisions about an import need to know.
type Import struct {
	Status   Status
	As       Started // how it was started
	Line     int     // everything up to it is in the log
	Counts   Counts
	Mark     Progressed // the last progress: where the same file can be gone on with
	Rejected int        // the last line that was rejected
	Result   Finished   // once finished
	Failure  Failed     // once failed
}

// Evolve replays one event.
func (i Import) Evolve(e Event) Import {
	switch e := e.(type) {
	case Started:
		i.Status, i.As, i.Line, i.Counts = Running, e, i.Mark.Line, i.Mark.Counts
	case RowsRejected:
		if n := len(e.Rows); n > 0 {
			i.Rejected = e.Rows[n-1].Line
		}
	case Progressed:
		i.Line, i.Counts, i.Mark = e.Line, e.Counts, e
	case Finished:
		i.Status, i.Line, i.Counts, i.Result = Done, e.Line, e.Counts, e
	case Failed:
		i.Status, i.Line, i.Counts, i.Failure = Broken, e.Line, e.Counts, e
	}
	return i
}
