package commands

import "github.com/cleversender/cleversender/domain/contactimport"

// FailImport says that the file could not be read on; what came before stays.
type FailImport struct {
	Import contactimport.ID
	Line   int
	Code   string // why, as a refusal's code
	Counts contactimport.Counts
}

// Stream implements Command.
func (c FailImport) Stream() string { return contactimport.Stream(c.Import) }

// Decide implements Command.
func (c FailImport) Decide(is contactimport.Import) ([]contactimport.Event, error) {
	result := contactimport.Failed{Line: c.Line, Code: c.Code, Counts: c.Counts}
	switch {
	case is.Status == contactimport.None:
		return nil, ErrNotFound
	case is.Status == contactimport.Broken && result == is.Failure:
		return nil, nil
	case is.Status != contactimport.Running:
		return nil, ErrImportOver
	case c.Line < is.Line:
		return nil, ErrRowOrder
	}
	if err := checkProgress(c.Line, 0, c.Counts); err != nil {
		return nil, err
	}
	if err := someLine("code", c.Code, maxAttrName); err != nil {
		return nil, err
	}
	return []contactimport.Event{result}, nil
}
