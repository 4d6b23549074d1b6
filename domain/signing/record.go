package signing

import "strings"

// RecordName is where in the DNS the key's record belongs (RFC 6376, section 3.6.2.1).
func RecordName(selector, name string) string { return selector + "._domainkey." + name }

// RecordValue is the text of the key's TXT record (RFC 6376, section 3.6.1; RFC
// 8463, section 4).
func RecordValue(a Algorithm, publicKey string) string {
	return "v=DKIM1; k=" + string(a) + "; p=" + publicKey
}

// ZoneLine is the record as a line of a zone file (RFC 1035, section 5.1). A
// string in a record has 255 octets at most; readers put them together again
// (RFC 6376, section 3.6.2.2).
func ZoneLine(name, value string) string {
	var b strings.Builder
	b.WriteString(name + ". IN TXT (")
	for len(value) > 0 {
		n := min(len(value), 255)
		b.WriteString(` "` + value[:n] + `"`)
		value = value[n:]
	}
	b.WriteString(" )")
	return b.String()
}
