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
	if signal = containedOf(agent, imageProxies); signal != "" {
		return engagement.ImageProxy, signal
	}
	if agent == "" {
		return engagement.Scanner, "no user agent"
	}
	if signal = containedOf(agent, scanners); signal != "" {
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
var imageProxies = []string{
	"googleimageproxy", "yahoomailproxy", "yahoocachesystem", "bingpreview", "duckduckgo-favicons",
	"outlookimageproxy", "proton mail image proxy", "fastmailimageproxy", "zohoimageproxy",
}

// scanners are security gateways, link checkers, crawlers and plain HTTP libraries.
var scanners = []string{
	"barracuda", "mimecast", "proofpoint", "urldefense", "symantec", "fireeye", "trendmicro", "trend micro",
	"sophos", "ironport", "forcepoint", "websense", "bitdefender", "kaspersky", "zscaler", "safelinks",
	"microsoft office existence discovery", "slackbot", "facebookexternalhit", "whatsapp", "telegrambot",
	"twitterbot", "linkedinbot", "discordbot", "skypeuripreview", "googlebot", "bingbot", "applebot", "yandexbot",
	"baiduspider", "ahrefs", "semrush", "crawler", "spider", "bot/", "bot;", "headlesschrome", "phantomjs",
	"curl/", "wget/", "python-requests", "python-urllib", "aiohttp", "go-http-client", "java/",
	"libwww-perl", "apache-httpclient", "axios/", "node-fetch", "scrapy",
}

// containedOf is the first of the parts that s contains; "" for none.
func containedOf(s string, parts []string) string {
	for _, part := range parts {
		if strings.Contains(s, part) {
			return part
		}
	}
	return ""
}
