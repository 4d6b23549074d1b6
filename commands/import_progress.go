package commands

import "github.com/cleversender/cleversender/domain/contactimport"

// ProgressImport says that everything up to a line is in the log.
type ProgressImport struct {
	Import contactimport.ID
	Line   int
	Bytes  int64
	SHA256 string // of the bytes so far, as received, hex
	Counts contactimport.Counts
}

// Stream implements Command.
func (c ProgressImport) Stream() string { return contactimport.Stream(c.Import) }

// Decide implements Command. What lies behind is no progress.
func (c ProgressImport) Decide(is contactimport.Import) ([]contactimport.Event, error) {
	switch {
	case is.Status == contactimport.None:
		return nil, ErrNotFound
	case c.Line <= is.Line && c.Line >= 0:
		return nil, nil
	case is.Status != contactimport.Running:
		return nil, ErrImportOver
	}
	if err := checkProgress(c.Line, c.Bytes, c.Counts); err != nil {
		return nil, err
	}
	if err := hexDigest(c.SHA256); err != nil {
		return nil, err
	}
	return []contactimport.Event{contactimport.Progressed{
		Line: c.Line, Bytes: c.Bytes, SHA256: c.SHA256, Counts: c.Counts,
	}}, nil
}

func checkProgress(line int, bytes int64, n contactimport.Counts) error {
	if line < 0 || bytes < 0 || min(n.Added, n.Updated, n.Unchanged, n.Suppressed, n.Rejected, n.HeldBack) < 0 {
		return ErrBadNumber
	}
	return nil
}
