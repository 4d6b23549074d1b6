package campaign_test

import (
	"testing"

	. "github.com/cleversender/cleversender/domain/campaign"
)

// A window is days, hours and a zone.
func TestParseWindow(t *testing.T) {
	const sun, mon, tue, wed, thu, fri, sat = 0, 1, 2, 3, 4, 5, 6
	for text, want := range map[string]struct {
		days        []int
		from, until int
	}{
		"mon-fri 09:00-18:30 Europe/Berlin":   {[]int{mon, tue, wed, thu, fri}, 540, 1110},
		"sat,sun 00:00-24:00 UTC":             {[]int{sat, sun}, 0, 1440},
		"fri-mon 22:00-02:00 America/Halifax": {[]int{fri, sat, sun, mon}, 1320, 120},
		"wed,mon-tue 22:00-00:00 UTC":         {[]int{mon, tue, wed}, 1320, 0},
	} {
		w, err := ParseWindow(text)
		if err != nil || w.From != want.from || w.Until != want.until {
			t.Errorf("%s: %+v, %v", text, w, err)
		}
		var days [7]bool
		for _, d := range want.days {
			days[d] = true
		}
		if w.Days != days {
			t.Errorf("%s: %v", text, w.Days)
		}
	}
	for _, text := range []string{
		"", "mon-fri", "mon-fri 09:00-18:00", "09:00-18:00 UTC", "mon-fri 09:00-18:00 Europe/Berlin please", " mon 09:00-18:00 UTC",
		"monday 09:00-18:00 UTC", "mon- 09:00-18:00 UTC", ",mon 09:00-18:00 UTC", "mon 9:00-18:00 UTC", "mon 09:00-18:60 UTC",
		"mon 09:00-25:00 UTC", "mon 24:00-09:00 UTC", "mon 09:00-09:00 UTC", "mon 09:00 UTC", "mon -9:00-+8:00 UTC", "mon 09:00-18:00 Local",
	} {
		if w, err := ParseWindow(text); err == nil {
			t.Errorf("%q is a window: %+v", text, w)
		}
	}
}

// Whatever somebody types is a window or refused; every window has a day.
func FuzzParseWindow(f *testing.F) {
	f.Add("mon-fri 09:00-18:00 Europe/Berlin")
	f.Add("sun-sun 23:59-00:00 UTC")
	f.Fuzz(func(t *testing.T, s string) {
		w, err := ParseWindow(s)
		if err == nil && (w.Days == [7]bool{} || w.From < 0 || w.From > 1439 || w.Until < 0 || w.Until > 1440 || w.Zone == "") {
			t.Errorf("%q: %+v", s, w)
		}
	})
}
