// Package contactimport is one file of contacts on its way into a list.
package contactimport

import "github.com/cleversender/cleversender/domain"

// ID names an import.
type ID = domain.ID

// Stream is where the import's events live.
func Stream(id ID) string { return "import-" + id.String() }
