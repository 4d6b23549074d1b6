package recipient

import (
	"net/http"
	"strings"

	"github.com/cleversender/cleversender/domain/engagement"
)

// Machine says why a hit is thought to be a machine's, and what gave it away:
// "head", the name of a header, or a part of the user agent, in words from here.
// What the client says of itself comes first, then what it is known to be. The
// raw user agent is in the event, so that hits can be classified anew.
func Machine(method string, h http.Header) (why engagement.Machine, signal string) {
	agent := strings.ToLower(h.Get("User-Agent"))
	if method == http.MethodHead {
		return engagement.HeadProbe, "head"
	}
	if signal = prefetch(h); signal != "" {
		return engagement.Prefetch, signal
	}
	if agent == privacyProxy {
		return engagement.ImageProxy, privacyProxy
	}
	if signal = imageProxies.in(agent); signal != "" {
		return engagement.ImageProxy, signal
	}
	if agent == "" {
		return engagement.Scanner, "no user agent"
	}
	if signal = scanners.in(agent); signal != "" {
		return engagement.Scanner, signal
	}
	return engagement.MaybeHuman, ""
}

// prefetch is the name of the header by which a browser says that nobody has
// looked yet: Sec-Purpose (the Fetch standard), or Purpose, X-Purpose and X-Moz
// before it. "": none does.
func prefetch(h http.Header) (name string) {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		if h[name] == nil {
			continue
		}
		value := strings.ToLower(h.Get(name))
		if strings.Contains(value, "prefetch") || strings.Contains(value, "prerender") || value == "preview" {
			return strings.ToLower(name)
		}
	}
	return ""
}

// privacyProxy is the whole of what Apple's Mail Privacy Protection says of
// itself; it fetches every picture, whoever reads.
const privacyProxy = "mozilla/5.0"

// imageProxies fetch pictures for a mail provider's readers, some of them before
// anybody reads.
var imageProxies = partsOf(
	"googleimageproxy", "yahoomailproxy", "yahoocachesystem", "bingpreview", "duckduckgo-favicons",
	"outlookimageproxy", "proton mail image proxy", "fastmailimageproxy", "zohoimageproxy",
)

// scanners are security gateways, link checkers, crawlers and plain HTTP libraries.
var scanners = partsOf(
	"barracuda", "mimecast", "proofpoint", "urldefense", "symantec", "fireeye", "trendmicro", "trend micro",
	"sophos", "ironport", "forcepoint", "websense", "bitdefender", "kaspersky", "zscaler", "safelinks",
	"microsoft office existence discovery", "slackbot", "facebookexternalhit", "whatsapp", "telegrambot",
	"twitterbot", "linkedinbot", "discordbot", "skypeuripreview", "googlebot", "bingbot", "applebot", "yandexbot",
	"baiduspider", "ahrefs", "semrush", "crawler", "spider", "bot/", "bot;", "headlesschrome", "phantomjs",
	"curl/", "wget/", "python-requests", "python-urllib", "aiohttp", "go-http-client", "java/",
	"libwww-perl", "apache-httpclient", "axios/", "node-fetch", "scrapy",
)

// parts are texts by their first octet, so that all are looked for in one pass.
type parts [256][]string

func partsOf(all ...string) *parts {
	p := &parts{}
	for _, part := range all {
		p[part[0]] = append(p[part[0]], part)
	}
	return p
}

// in is the part that s contains first; "" for none.
func (p *parts) in(s string) string {
	for i := range len(s) {
		for _, part := range p[s[i]] {
			if strings.HasPrefix(s[i:], part) {
				return part
			}
		}
	}
	return ""
}
