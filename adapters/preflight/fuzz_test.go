package preflight_test

import (
	"strings"
	"testing"

	"github.com/cleversender/cleversender/adapters/preflight"
)

// Whatever the DNS and the template hold is looked at to the end, and shown as
// text on one line.
func FuzzRecords(f *testing.F) {
	f.Add("v=spf1 include:books.se ?all redirect=books.se", "v=DKIM1; p=", "v=DMARC1; p=none; sp=x", "https://a/%zz")
	f.Add("v=spf1 -", "p==;=", "v=DMARC1", "javascript:\x00")
	f.Add("v=spf1 a:\x1b[31m zz\x1b", ";;", "v=DMARC1; p=\u0085", "{{")
	f.Fuzz(func(t *testing.T, spf, key, policy, href string) {
		w := newWorld()
		w.zone.texts["books.se"], w.zone.texts[keyName], w.zone.texts["_dmarc.books.se"] = []string{spf}, []string{key}, []string{policy}
		link(href)(w)
		for code, found := range w.check(t, false) {
			for _, s := range append(found.Details, found.Text) {
				if strings.ToValidUTF8(s, "") != s || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
					t.Errorf("%s shows %q", code, s)
				}
			}
			if found.Level == preflight.Block && code != "link_malformed" && code != "dmarc_reject" {
				t.Errorf("%s blocks", code)
			}
		}
	})
}
