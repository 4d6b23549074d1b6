package recipient

import (
	"net/http"
	"strings"

	"github.com/cleversender/cleversender/domain/engagement"
)

// Machine says why a hit is thought to be a machine's, or engagement.MaybeHuman.
// What the client says of itself comes first, then what it is known to be. The
// raw user agent is in the event, so that hits can be classified anew.
func Machine(method string, h http.Header) engagement.Machine {
	agent := strings.ToLower(h.Get("User-Agent"))
	switch {
	case method == http.MethodHead:
		return engagement.HeadProbe
	case saysPrefetch(h):
		return engagement.Prefetch
	case containsAny(agent, imageProxies):
		return engagement.ImageProxy
	case agent == "", containsAny(agent, scanners):
		return engagement.Scanner
	default:
		return engagement.MaybeHuman
	}
}

// saysPrefetch reads the headers by which browsers say that nobody has looked
// yet: Sec-Purpose (the Fetch standard), and Purpose, X-Purpose and X-Moz before it.
func saysPrefetch(h http.Header) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		value := strings.ToLower(h.Get(name))
		if strings.Contains(value, "prefetch") || strings.Contains(value, "prerender") || value == "preview" {
			return true
		}
	}
	return false
}

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

func containsAny(s string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}
