package liquid

import (
	"html"
	"strings"

	"github.com/osteele/liquid/parser"
	nethtml "golang.org/x/net/html"
)

// breaks is how many line ends an element has around it.
var breaks = map[string]int{
	"br": 1, "div": 1, "tr": 1, "li": 1, "hr": 1, "dt": 1, "dd": 1, "table": 1, "section": 1,
	"p": 2, "h1": 2, "h2": 2, "h3": 2, "h4": 2, "h5": 2, "h6": 2, "ul": 2, "ol": 2, "blockquote": 2, "pre": 2,
}

var hidden = set("head style script title template")

// plainText makes a text part of an HTML part: words, paragraphs, and the
// address of each link after it. Liquid stays where it is.
func plainText(source string) string {
	masked, _ := mask(source)
	p := plain{source: source, masked: masked}
	z := nethtml.NewTokenizer(strings.NewReader(masked))
	for at, kind := 0, z.Next(); kind != nethtml.ErrorToken; kind = z.Next() {
		raw := string(z.Raw())
		name, _ := z.TagName()
		switch kind {
		case nethtml.TextToken:
			p.text(at, at+len(raw))
		case nethtml.StartTagToken, nethtml.SelfClosingTagToken:
			p.open(string(name), raw, at)
		case nethtml.EndTagToken:
			p.close(string(name))
		}
		at += len(raw)
	}
	return strings.TrimSpace(p.out.String()) + "\n"
}

type plain struct {
	source, masked string
	out            strings.Builder
	skip           int    // inside this many hidden elements
	href           string // of the link that is open
	ends           int    // line ends that out ends with, or that are due
	space          bool   // a space is due
}

func (p *plain) open(name, raw string, at int) {
	if hidden[name] {
		p.skip++
	}
	p.due(breaks[name])
	if name == "li" {
		p.write("-")
		p.space = true
	}
	if name == "a" {
		p.href = ""
		if from, to, found := hrefIn(raw); found {
			p.href = strings.TrimSpace(html.UnescapeString(p.source[at+from : at+to]))
		}
	}
}

func (p *plain) close(name string) {
	if hidden[name] && p.skip > 0 {
		p.skip--
	}
	p.due(breaks[name])
	if name == "a" && p.href != "" && !strings.HasPrefix(p.href, "#") {
		p.space = true
		p.write("(" + p.href + ")")
		p.href = ""
	}
}

// due asks for n line ends before whatever comes next.
func (p *plain) due(n int) {
	if n > 0 {
		p.space = false
	}
	p.ends = max(p.ends, n)
}

func (p *plain) write(s string) {
	if p.skip > 0 || s == "" {
		return
	}
	switch {
	case p.out.Len() == 0:
	case p.ends > 0:
		p.out.WriteString("\n\n"[:min(p.ends, 2)])
	case p.space:
		p.out.WriteByte(' ')
	}
	p.ends, p.space = 0, false
	p.out.WriteString(s)
}

// text writes source[from:to]: Liquid as it is, the rest with its white space
// collapsed and its character references resolved.
func (p *plain) text(from, to int) {
	for _, t := range scan(p.source[from:to]) {
		if t.inert || t.Type != parser.TextTokenType {
			p.write(t.Source)
			continue
		}
		words := strings.Fields(html.UnescapeString(t.Source))
		if first := t.Source[0]; strings.IndexByte(" \t\r\n", first) >= 0 {
			p.space = true
		}
		for i, word := range words {
			if i > 0 {
				p.space = true
			}
			p.write(strings.NewReplacer("{{", "{ {", "{%", "{ %").Replace(word))
		}
		if last := t.Source[len(t.Source)-1]; strings.IndexByte(" \t\r\n", last) >= 0 && len(words) > 0 {
			p.space = true
		}
	}
}
