package pacing

import (
	"errors"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

var units = map[string]float64{"s": 1, "m": 60, "h": 3600, "d": 86_400}

// ParseRate reads messages a second, minute, hour or day: "20/s", "600/m".
func ParseRate(s string) (Rate, error) {
	count, unit, _ := strings.Cut(s, "/")
	n, err := strconv.ParseUint(count, 10, 31)
	if per := units[unit]; err == nil && n > 0 && per > 0 {
		return Rate(float64(n) / per), nil
	}
	return 0, errors.New("a rate is given as 20/s, 600/m, 10000/h or 100000/d")
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Rate) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRate(string(text))
	return err
}

// ParseDomainLimit reads "gmail.com=20/s,10": a rate, and how many messages may
// be under way, either of which may be missing. The domain * is every other.
func ParseDomainLimit(s string) (domain string, l DomainLimit, err error) {
	wrong := errors.New("a limit of a domain is given as gmail.com=20/s,10")
	domain, limits, ok := strings.Cut(s, "=")
	if domain, err = ascii(domain); !ok || err != nil {
		return "", l, wrong
	}
	for part := range strings.SplitSeq(limits, ",") {
		rate, notRate := ParseRate(part)
		n, notNumber := strconv.ParseUint(part, 10, 31)
		switch {
		case notRate == nil && l.Rate == 0:
			l.Rate = rate
		case notNumber == nil && n > 0 && l.Concurrent == 0:
			l.Concurrent = int(n)
		default:
			return "", DomainLimit{}, wrong
		}
	}
	return domain, l, nil
}

// ParseWarmup reads "example.org=50,100,200": how many messages on each day.
func ParseWarmup(s string) (from string, quotas []int, err error) {
	wrong := errors.New("a warm-up plan is given as example.org=50,100,200")
	from, days, ok := strings.Cut(s, "=")
	if from, err = ascii(from); !ok || err != nil || from == "*" {
		return "", nil, wrong
	}
	for day := range strings.SplitSeq(days, ",") {
		n, err := strconv.ParseUint(day, 10, 31)
		if err != nil || n == 0 {
			return "", nil, wrong
		}
		quotas = append(quotas, int(n))
	}
	return from, quotas, nil
}

// ascii is a domain in A-labels, or *.
func ascii(domain string) (string, error) {
	switch domain {
	case "":
		return "", errors.New("no domain is named")
	case "*":
		return domain, nil
	}
	return idna.Lookup.ToASCII(strings.ToLower(domain))
}
