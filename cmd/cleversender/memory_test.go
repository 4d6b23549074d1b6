package main

import "testing"

// What is in use always leaves the collector room to work in.
func TestMemoryLimit(t *testing.T) {
	for _, live := range []uint64{0, 40 << 20, 100 << 20, 150 << 20, 4 << 30} {
		limit := memoryLimit(live)
		if limit < smallHeap || limit < int64(live)*4/3 {
			t.Errorf("%d MB in use, limit %d MB", live>>20, limit>>20)
		}
	}
}
