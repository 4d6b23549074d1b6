package engine

import (
	"runtime"
	"runtime/debug"

	"github.com/cleversender/cleversender/adapters/api"
)

// version is set by the linker: -X …/engine.version=v1.2.3.
var version = "dev"

// Version says what this program was built from.
func Version() api.Version {
	v := api.Version{Version: version, Commit: "unknown", Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v.Commit = s.Value
			}
		}
	}
	return v
}
