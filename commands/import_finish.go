package commands

import "github.com/cleversender/cleversender/domain/contactimport"

// FinishImport says that the whole file was read.
type FinishImport struct {
	Import contactimport.ID
	Line   int
	Bytes  int64
	SHA256 string // of the file as received, hex
	Counts contactimport.Counts
}

// Stream implements Command.
func (c FinishImport) Stream() string { return contactimport.Stream(c.Import) }

// Decide implements Command.
func (c FinishImport) Decide(is contactimport.Import) ([]contactimport.Event, error) {
	result := contactimport.Finished{Line: c.Line, Bytes: c.Bytes, SHA256: c.SHA256, Counts: c.Counts}
	switch {
	case is.Status == contactimport.None:
		return nil, ErrNotFound
	case is.Status == contactimport.Done && result == is.Result:
		return nil, nil
	case is.Status != contactimport.Running:
		return nil, ErrImportOver
	case c.Line < is.Line:
		return nil, ErrRowOrder
	}
	if err := checkProgress(c.Line, c.Bytes, c.Counts); err != nil {
		return nil, err
	}
	if err := hexDigest(c.SHA256); err != nil {
		return nil, err
	}
	return []contactimport.Event{result}, nil
}
