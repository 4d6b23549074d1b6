package recipient_test

import (
	"net/http"
	"testing"

	"github.com/cleversender/cleversender/adapters/recipient"
	"github.com/cleversender/cleversender/domain/engagement"
)

const (
	thunderbird = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.1"
	iphone      = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
)

// Who says that they are a machine, or is known to be, is taken for one; the
// clients that people read mail with are not. What gave it away is said, too.
func TestMachine(t *testing.T) {
	for _, c := range []struct {
		name, method, agent, header, value string
		want                               engagement.Machine
		signal                             string
	}{
		{"desktop client", "GET", thunderbird, "", "", engagement.MaybeHuman, ""},
		{"phone", "GET", iphone, "", "", engagement.MaybeHuman, ""},
		{"outlook", "GET", "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)", "", "", engagement.MaybeHuman, ""},
		{"android app", "GET", "Dalvik/2.1.0 (Linux; U; Android 15; Pixel 9 Build/AP4A)", "", "", engagement.MaybeHuman, ""},
		{"yandex browser", "GET", "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 YaBrowser/24.10 Yowser/2.5 Safari/537.36", "", "", engagement.MaybeHuman, ""},
		{"head", "HEAD", thunderbird, "", "", engagement.HeadProbe, "head"},
		{"sec-purpose", "GET", thunderbird, "Sec-Purpose", "prefetch;prerender", engagement.Prefetch, "sec-purpose"},
		{"purpose", "GET", iphone, "Purpose", "prefetch", engagement.Prefetch, "purpose"},
		{"safari preview", "GET", iphone, "X-Purpose", "preview", engagement.Prefetch, "x-purpose"},
		{"old firefox", "GET", thunderbird, "X-Moz", "prefetch", engagement.Prefetch, "x-moz"},
		{"another purpose", "GET", thunderbird, "Sec-Purpose", "navigate", engagement.MaybeHuman, ""},
		{"two of them", "GET", "Wget/1.25 (like curl/8)", "", "", engagement.Scanner, "wget/"},
		{"gmail", "GET", "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", "", "", engagement.ImageProxy, "googleimageproxy"},
		{"yahoo", "GET", "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "", "", engagement.ImageProxy, "yahoomailproxy"},
		{"apple's proxy", "GET", "Mozilla/5.0", "", "", engagement.ImageProxy, "mozilla/5.0"},
		{"barracuda", "GET", "Mozilla/5.0 (compatible; Barracuda Sentinel)", "", "", engagement.Scanner, "barracuda"},
		{"googlebot", "GET", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "", "", engagement.Scanner, "googlebot"},
		{"curl", "GET", "curl/8.11.0", "", "", engagement.Scanner, "curl/"},
		{"headless", "GET", "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/131.0.0.0 Safari/537.36", "", "", engagement.Scanner, "headlesschrome"},
		{"no name at all", "GET", "", "", "", engagement.Scanner, "no user agent"},
	} {
		h := http.Header{"User-Agent": {c.agent}}
		if c.header != "" {
			h.Set(c.header, c.value)
		}
		if got, signal := recipient.Machine(c.method, h); got != c.want || signal != c.signal {
			t.Errorf("%s: %q by %q, want %q by %q", c.name, got, signal, c.want, c.signal)
		}
	}
}
