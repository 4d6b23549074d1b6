package web

import (
	"testing"

	"github.com/cleversender/cleversender/adapters/csvimport/generate"
)

// Why a row of an import was left out is said in words, whatever the reason.
func TestLeftNames(t *testing.T) {
	for _, code := range generate.FaultCodes {
		if leftNames[code] == "" {
			t.Errorf("%s has no words", code)
		}
	}
}
