package address

import "strings"

// atext marks the characters of an atom (RFC 5322, section 3.2.3).
var atext = func() (set [128]bool) {
	for c := range set {
		set[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", rune(c))
	}
	return set
}()

// parseCommon reads plain ASCII addresses, which nearly all are, without the
// tables of IDNA; ok is false for whatever needs a closer look.
func parseCommon(raw string) (a Address, ok bool) {
	if len(raw) > maxAddress {
		return Address{}, false
	}
	at := strings.IndexByte(raw, '@')
	if at < 1 || at > maxLocal {
		return Address{}, false
	}
	upperLocal, before := false, byte('.')
	for i := range at {
		c := raw[i]
		if c >= 128 || c == '.' && before == '.' || c != '.' && !atext[c] {
			return Address{}, false
		}
		upperLocal = upperLocal || 'A' <= c && c <= 'Z'
		before = c
	}
	if before == '.' {
		return Address{}, false
	}
	upperHost, ok := commonHost(raw[at+1:])
	if !ok {
		return Address{}, false
	}
	a.Plain = raw
	if upperHost {
		a.Plain = raw[:at+1] + strings.ToLower(raw[at+1:])
	}
	a.Normal = a.Plain
	if upperLocal {
		a.Normal = strings.ToLower(a.Plain)
	}
	return a, true
}

// commonHost accepts letters, digits and hyphens in two labels or more, the
// last of letters only, and no hyphens in the third and fourth place, where
// IDNA has something to say (RFC 5891, section 4.2.3.1).
func commonHost(host string) (upper, ok bool) {
	start, dots, letters := 0, 0, false
	for i := 0; i <= len(host); i++ {
		if i < len(host) && host[i] != '.' {
			c := host[i]
			isLetter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
			if !isLetter && c != '-' && !isDigit(c) {
				return false, false
			}
			upper = upper || 'A' <= c && c <= 'Z'
			if i == start {
				letters = true
			}
			letters = letters && isLetter
			continue
		}
		label := host[start:i]
		if !commonLabel(label) {
			return false, false
		}
		if i < len(host) {
			dots++
			start = i + 1
		}
	}
	return upper, dots > 0 && letters
}

func commonLabel(label string) bool {
	n := len(label)
	return n > 0 && n <= maxLabel && label[0] != '-' && label[n-1] != '-' &&
		(n < 4 || label[2] != '-' || label[3] != '-')
}
