// Package cleversender is the root of the module; README.md is the map.
package cleversender
