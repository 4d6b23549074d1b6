package preflight

import (
	"html"
	"net/netip"
	"net/url"
	"strings"

	nethtml "golang.org/x/net/html"
)

// link is a target of the messages. One that is written out in the template is
// quoted; any other is made of what people told us, and is not.
type link struct {
	written  string // "": it is not in the template as it is
	wrong    string // "": nothing
	insecure bool   // http
	messages int    // it is in so many
}

// links gathers those of many messages.
type links struct {
	source string // the template's HTML, as readers of HTML see it
	all    []*link
	by     map[link]*link
}

func newLinks(source string) *links {
	return &links{source: html.UnescapeString(source), by: map[link]*link{}}
}

func (l *links) add(href string) {
	one := link{wrong: wrong(href), insecure: strings.HasPrefix(strings.ToLower(strings.TrimSpace(href)), "http:")}
	if href != "" && strings.Contains(l.source, href) {
		one.written = href
	}
	known := l.by[one]
	if known == nil {
		known = new(one)
		l.by[one], l.all = known, append(l.all, known)
	}
	known.messages++
}

// wrong says what keeps a link from working for whoever gets it; "": nothing.
func wrong(href string) string {
	href = strings.TrimSpace(href)
	lower := strings.ToLower(href)
	for _, brace := range []string{"{{", "}}", "{%", "%}", "%7b%7b", "%7d%7d", "%7b%20%25", "%7b%25"} {
		if strings.Contains(lower, brace) {
			return "there is Liquid left in it"
		}
	}
	if href == "" || href == "#" {
		return "it leads nowhere"
	}
	if href[0] == '#' {
		return ""
	}
	u, err := url.Parse(href)
	if err != nil {
		return "it cannot be read"
	}
	switch u.Scheme {
	case "http", "https":
		if u.Hostname() == "" || strings.ContainsAny(u.Host, " _\"<>") {
			return "it names no host"
		}
		if isPrivate(u.Hostname()) {
			return "recipients cannot reach its host"
		}
		return ""
	case "mailto", "tel", "sms":
		if u.Opaque == "" {
			return "it leads nowhere"
		}
		return ""
	case "":
		return "it is no whole web address: it lacks https://"
	}
	return "it is not of the web"
}

// isPrivate: a host that means something else, or nothing, elsewhere.
func isPrivate(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		return !addr.IsGlobalUnicast() || addr.IsPrivate()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if !strings.Contains(host, ".") {
		return true
	}
	for _, end := range []string{".localhost", ".local", ".internal", ".home.arpa"} {
		if strings.HasSuffix(host, end) {
			return true
		}
	}
	return false
}

// read calls link with each target of a page, and counts images that say
// nothing to who cannot see them.
func read(page string, link func(href string)) (silent int) {
	z := nethtml.NewTokenizer(strings.NewReader(page))
	for kind := z.Next(); kind != nethtml.ErrorToken; kind = z.Next() {
		if kind != nethtml.StartTagToken && kind != nethtml.SelfClosingTagToken {
			continue
		}
		name, more := z.TagName()
		tag := string(name)
		if tag != "a" && tag != "area" && tag != "img" {
			continue
		}
		attributes := map[string]string{}
		for more {
			var key, value []byte
			key, value, more = z.TagAttr()
			if _, twice := attributes[string(key)]; !twice { // HTML, section 13.2.5.33
				attributes[string(key)] = string(value)
			}
		}
		if href, has := attributes["href"]; has && tag != "img" {
			link(href)
		}
		if _, has := attributes["alt"]; tag == "img" && !has {
			silent++
		}
	}
	return silent
}
