// Package bench measures the engine beside the limit of the machine, in the
// same run: how fast raw SQLite writes or reads the same bytes.
package bench

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Report is one figure line.
type Report struct {
	Bench          string         `json:"bench"`
	Backend        string         `json:"backend"`
	Units          int            `json:"units"`
	Seconds        float64        `json:"seconds"`
	PerSecond      float64        `json:"per_second"`
	CPUPerUnit     float64        `json:"cpu_us_per_unit"` // user and system time of this process
	PeakRSS        float64        `json:"peak_rss_mb"`     // while measuring; 0 where the system does not say
	LimitPerSecond float64        `json:"limit_per_second"`
	RatioToLimit   float64        `json:"ratio_to_limit"`
	Extra          map[string]any `json:"extra,omitempty"` // what is particular
}

// Against sets the limit measured in the same run, in the same units.
func (r *Report) Against(perSecond float64) {
	r.LimitPerSecond = round(perSecond)
	if perSecond > 0 {
		r.RatioToLimit = float64(int(r.PerSecond/perSecond*1000+0.5)) / 1000
	}
}

// meter measures a stretch of work.
type meter struct {
	start time.Time
	cpu   time.Duration
}

// meter begins to measure, and to profile if that is asked for.
func (b *bench) meter() (meter, error) {
	runtime.GC()
	if b.CPUProfile != "" {
		f, err := os.Create(b.CPUProfile)
		if err != nil {
			return meter{}, err
		}
		pprof.StopCPUProfile() // of a measurement before
		if err := pprof.StartCPUProfile(f); err != nil {
			return meter{}, err
		}
	}
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // begin the peak anew; refused on some systems
	return meter{time.Now(), cpuTime()}, nil
}

func (m meter) report(name string, units int) Report {
	took, cpu := time.Since(m.start), cpuTime()-m.cpu
	r := Report{Bench: name, Units: units, CPUPerUnit: perUnit(cpu, units), PeakRSS: peakRSS()}
	r.took(took)
	return r
}

func (r *Report) took(d time.Duration) {
	r.Seconds = float64(int(d.Seconds()*1000)) / 1000
	r.PerSecond = round(float64(r.Units) / d.Seconds())
}

// perUnit is in microseconds, to a tenth.
func perUnit(d time.Duration, units int) float64 {
	return float64(int(d.Seconds()*1e7/float64(units))) / 10
}

func round(f float64) float64 { return float64(int(f + 0.5)) }

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakRSS is VmHWM of proc(5), in MB of 1,000,000 bytes.
func peakRSS() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return round(float64(kb) * 1024 / 1e6)
		}
	}
	return 0
}

// loadAverage is of the last minute (proc(5)), so that a figure from a machine
// that does other work can be told; 0 where the system does not say.
func loadAverage() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), " ")
	load, _ := strconv.ParseFloat(first, 64)
	return load
}

// String is the report for people.
func (r Report) String() string {
	line := fmt.Sprintf("%-8s %10d units  %8.2f s  %10.0f/s  %6.1f us CPU  %5.0f MB", r.Bench, r.Units, r.Seconds, r.PerSecond, r.CPUPerUnit, r.PeakRSS)
	if r.LimitPerSecond > 0 {
		line += fmt.Sprintf("  limit %10.0f/s  ratio %.2f", r.LimitPerSecond, r.RatioToLimit)
	}
	return line
}
