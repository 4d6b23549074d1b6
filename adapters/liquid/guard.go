package liquid

import (
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/osteele/liquid/parser"
	"github.com/osteele/liquid/render"
)

// allowedTags is every tag that a template may use.
var allowedTags = set("assign break continue cycle capture endcapture case when endcase comment endcomment " +
	"for endfor if elsif else endif raw endraw tablerow endtablerow unless endunless")

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// token is a piece of source. Inert pieces lie inside raw and comment blocks.
type token struct {
	parser.Token
	inert bool
}

// scan cuts source as the parser will. The Sources, put together, are source.
func scan(source string) []token {
	var out []token
	block := ""
	for _, t := range parser.Scan(source, parser.SourceLoc{LineNo: 1}, nil) {
		if t.Source == "" { // whitespace control; the braces are in the neighbour
			continue
		}
		isTag := t.Type == parser.TagTokenType
		if block != "" && isTag && t.Name == "end"+block {
			block = ""
		}
		out = append(out, token{t, block != ""})
		if block == "" && isTag && (t.Name == "raw" || t.Name == "comment") {
			block = t.Name
		}
	}
	return out
}

// check refuses what the parser would let through: what is too large, unclosed,
// unknown, or could be unrolled into more than there is memory for.
func check(part, source string) error {
	if len(source) > maxSource {
		return errSourceBig
	}
	if !utf8.ValidString(source) || strings.ContainsRune(source, 0) {
		return invalid(part, 1, "it is not UTF-8 text")
	}
	for _, t := range scan(source) {
		if t.inert {
			continue
		}
		if why := wrong(t); why != "" {
			return invalid(part, t.SourceLoc.LineNo, why)
		}
	}
	return nil
}

var (
	literals = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	piped    = regexp.MustCompile(`\|\s*([\pL_][\pL\pN_-]*)?`)
	bigRange = regexp.MustCompile(`\.\.\s*\d{5,}`)
)

func wrong(t token) string {
	if t.Type == parser.TextTokenType {
		if strings.Contains(t.Source, "{{") || strings.Contains(t.Source, "{%") {
			return "a tag is not closed"
		}
		return ""
	}
	if len(t.Source) > maxTag {
		return "a tag is too long"
	}
	if t.Type == parser.TagTokenType && !allowedTags[t.Name] {
		return "there is no tag " + t.Name
	}
	args := literals.ReplaceAllString(t.Args, `""`)
	filters := piped.FindAllStringSubmatch(args, -1)
	for _, m := range filters {
		if !allowedFilters[m[1]] {
			return "there is no filter " + m[1]
		}
	}
	if strings.Contains(args, "..") {
		switch {
		case t.Name != "for" && t.Name != "tablerow", len(filters) > 0:
			return "a range can only be what a for tag goes through"
		case bigRange.MatchString(args):
			return "a range is too long"
		}
	}
	return ""
}

// guard puts ticks into the compiled tree: at the start of every loop's body,
// and after every so many bytes of tags.
func guard(part string, root *render.SeqNode) error {
	g := guarding{part: part}
	return g.nodes(root.Children, 0)
}

type guarding struct {
	part string
	cost int // bytes of tags since the last tick
}

const tickEvery = 1 << 10

func (g *guarding) nodes(nodes []render.Node, depth int) error {
	if depth > maxDepth {
		return invalid(g.part, 1, "blocks lie too deep inside one another")
	}
	for i, n := range nodes {
		if _, simple := simple(n); simple && depth == 0 { // takes no time to speak of
			continue
		}
		switch n := n.(type) {
		case *render.ObjectNode:
			g.cost += len(n.Source)
		case *render.TagNode:
			g.cost += len(n.Source)
		case *render.BlockNode:
			g.cost += len(n.Source)
			if err := g.block(n, depth); err != nil {
				return err
			}
		}
		// In place: the library's if keeps the slice, not the block.
		if g.cost >= tickEvery {
			nodes[i], g.cost = &render.SeqNode{Children: []render.Node{stepTick, n}}, 0
		}
	}
	return nil
}

func (g *guarding) block(n *render.BlockNode, depth int) error {
	if err := g.nodes(n.Body, depth+1); err != nil {
		return err
	}
	for _, clause := range n.Clauses {
		if err := g.nodes(clause.Body, depth+1); err != nil {
			return err
		}
	}
	if n.Name == "for" || n.Name == "tablerow" {
		n.Body = append([]render.Node{loopTick}, n.Body...)
	}
	return nil
}

var loopTick, stepTick = newTick(true), newTick(false)

// silentTag is a node that writes nothing of its own, so that whitespace
// control does not see it.
func silentTag(do func(render.Context) error) render.Node {
	config := render.NewConfig()
	config.AddTag("silent", func(string) (func(io.Writer, render.Context) error, error) {
		return func(_ io.Writer, ctx render.Context) error { return do(ctx) }, nil
	})
	root, err := config.Compile("{% silent %}", parser.SourceLoc{LineNo: 1})
	if err != nil {
		panic(err)
	}
	return root.(*render.SeqNode).Children[0]
}

func newTick(loop bool) render.Node {
	return silentTag(func(ctx render.Context) error { return runOf(ctx).tick(loop) })
}
