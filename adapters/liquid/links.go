package liquid

import (
	"fmt"
	"html"
	"net/url"
	"strings"

	"github.com/osteele/liquid/parser"
	nethtml "golang.org/x/net/html"
)

// masked is source with a space in place of each byte of Liquid, so that an
// HTML tokenizer sees HTML only, and every byte keeps its place; dynamic tells
// which bytes those are.
func mask(source string) (masked string, dynamic func(from, to int) bool) {
	out := []byte(source)
	var spans [][2]int
	at := 0
	for _, t := range scan(source) {
		end := at + len(t.Source)
		if t.inert || t.Type != parser.TextTokenType {
			for i := at; i < end; i++ {
				out[i] = ' '
			}
			spans = append(spans, [2]int{at, end})
		}
		at = end
	}
	next := 0 // callers ask in order
	return string(out), func(from, to int) bool {
		for next < len(spans) && spans[next][1] <= from {
			next++
		}
		return next < len(spans) && spans[next][0] < to
	}
}

// trackable replaces the targets of the HTML part's links by a tag of ours, and
// puts the pixel's tag in front of </body>. It returns the targets in order.
func trackable(source string) (rewritten string, links []string, err error) {
	masked, dynamic := mask(source)
	index := map[string]int{}
	var out strings.Builder
	done, body := 0, -1 // copied up to; where out has </body>
	z := nethtml.NewTokenizer(strings.NewReader(masked))
	for at, kind := 0, z.Next(); kind != nethtml.ErrorToken; kind = z.Next() {
		raw := string(z.Raw())
		start := at
		at += len(raw)
		name, _ := z.TagName()
		switch {
		case kind == nethtml.EndTagToken && string(name) == "body":
			out.WriteString(source[done:start])
			done, body = start, out.Len()
		case kind != nethtml.StartTagToken && kind != nethtml.SelfClosingTagToken,
			string(name) != "a" && string(name) != "area":
		default:
			from, to, found := hrefIn(raw)
			if !found || dynamic(start+from, start+to) {
				continue
			}
			written := source[start+from : start+to]
			target, ok := webAddress(written)
			if !ok || strings.Contains(written, "%}") {
				continue
			}
			i, known := index[target]
			if !known {
				i = len(links)
				index[target], links = i, append(links, target)
			}
			out.WriteString(source[done : start+from])
			done = start + to
			out.WriteString(linkTagFor(i, written, raw[from-1]))
		}
	}
	if len(links) > maxLinks {
		return "", nil, invalid("html", 1, fmt.Sprintf("it has more than %d different links", maxLinks))
	}
	out.WriteString(source[done:])
	rewritten = out.String()
	if body < 0 {
		return rewritten + "{% " + pixelTag + " %}", links, nil
	}
	return rewritten[:body] + "{% " + pixelTag + " %}" + rewritten[body:], links, nil
}

func linkTagFor(i int, written string, before byte) string {
	tag := fmt.Sprintf("{%% %s %d %s %%}", linkTag, i, written)
	if before != '"' && before != '\'' {
		return `"` + tag + `"`
	}
	return tag
}

// webAddress is the URL that an attribute's value stands for, if it is an
// absolute http or https one.
func webAddress(written string) (string, bool) {
	target := strings.TrimSpace(html.UnescapeString(written))
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	return target, true
}

// hrefIn finds the value of the href attribute in a start tag
// (HTML, section 13.2.5.32 and following): without its quotes.
func hrefIn(tag string) (from, to int, found bool) {
	const space = " \t\r\n\f"
	i := 1 + strings.IndexAny(tag[1:], space+"/>")
	for i < len(tag) {
		for i < len(tag) && strings.IndexByte(space+"/", tag[i]) >= 0 {
			i++
		}
		nameAt := i
		for i < len(tag) && (strings.IndexByte(space+"/>=", tag[i]) < 0 || i == nameAt && tag[i] == '=') {
			i++
		}
		name := tag[nameAt:i]
		if name == "" {
			return 0, 0, false
		}
		for i < len(tag) && strings.IndexByte(space, tag[i]) >= 0 {
			i++
		}
		if i >= len(tag) || tag[i] != '=' {
			continue
		}
		i++
		for i < len(tag) && strings.IndexByte(space, tag[i]) >= 0 {
			i++
		}
		if i >= len(tag) {
			return 0, 0, false
		}
		var n int
		if quote := tag[i]; quote == '"' || quote == '\'' {
			i++
			n = strings.IndexByte(tag[i:], quote)
		} else {
			n = strings.IndexAny(tag[i:], space+">")
		}
		if n < 0 {
			return 0, 0, false
		}
		if strings.EqualFold(name, "href") {
			return i, i + n, true
		}
		i += n
		if i < len(tag) && (tag[i] == '"' || tag[i] == '\'') {
			i++
		}
	}
	return 0, 0, false
}
