package main

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// gcPercent saves time where there is memory.
	gcPercent = 200
	// smallHeap is what the heap may grow to before the collector works harder: an
	// import of any size, and a campaign, stay below 250 MB in all.
	smallHeap = 82 << 20
)

// tendMemory sets how much memory the collector may use: little, as long as
// little is in use. GOGC and GOMEMLIMIT in the environment override it.
func tendMemory() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(smallHeap)
	go func() {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		for range time.Tick(time.Second) {
			metrics.Read(live)
			debug.SetMemoryLimit(memoryLimit(live[0].Value.Uint64()))
		}
	}()
}

// memoryLimit leaves the collector room in proportion to what is in use.
func memoryLimit(live uint64) int64 { return max(smallHeap, int64(live+live/3)+8<<20) }
