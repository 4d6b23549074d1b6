package liquid

import (
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/osteele/liquid/parser"
	"github.com/osteele/liquid/render"
)

// A segment is a piece of a part's top level. Fixed text and tracked links,
// which are most of a newsletter, are copied out without the library.
type segment struct {
	text string            // as it is; for a link what was written there
	link int               // -1: no link
	name string            // a variable, or attribute, alone between its braces; often a string
	node *render.BlockNode // what the library renders; nil otherwise
}

// segmented makes the tree's top level one node that goes through segments.
// Whitespace control reaches from node to node: a tree with some at its top
// level stays as it is.
func segmented(root *render.SeqNode, escape func(string) string) {
	segments := make([]segment, 0, len(root.Children))
	for _, n := range root.Children {
		switch n := n.(type) {
		case *render.TrimNode:
			return
		case *render.TextNode:
			segments = append(segments, segment{text: n.Source, link: -1})
		case *render.TagNode:
			if n.Name == linkTag {
				index, written, _ := strings.Cut(n.Args, " ")
				if i, err := strconv.Atoi(index); err == nil {
					segments = append(segments, segment{text: written, link: i})
					continue
				}
			}
			segments = append(segments, dynamic(n))
		case *render.ObjectNode:
			s := dynamic(n)
			if plainName.MatchString(n.Args) {
				s.name = n.Args
			}
			segments = append(segments, s)
		default:
			segments = append(segments, dynamic(n))
		}
	}
	root.Children = []render.Node{silentTag(func(ctx render.Context) error { return write(segments, ctx, escape) })}
}

var plainName = regexp.MustCompile(`^(attributes\.)?[a-z_]+$`)

// lookUp is a variable's value when it is a string.
func lookUp(ctx render.Context, name string) (string, bool) {
	if key, found := strings.CutPrefix(name, "attributes."); found {
		attributes, _ := ctx.Get("attributes").(map[string]string)
		s, found := attributes[key]
		return s, found
	}
	s, found := ctx.Get(name).(string)
	return s, found
}

func dynamic(n render.Node) segment {
	return segment{link: -1, node: &render.BlockNode{Body: []render.Node{n}}}
}

func write(segments []segment, ctx render.Context, escape func(string) string) error {
	r := runOf(ctx)
	for _, s := range segments {
		if s.name != "" {
			if value, found := lookUp(ctx, s.name); found {
				s.node, s.text = nil, escape(value)
			}
		}
		var err error
		switch {
		case s.node != nil:
			err = ctx.RenderBlock(r.out, s.node)
		case s.link >= 0 && r.vars.LinkURL != nil:
			err = r.out.add(escapeHTML(r.vars.LinkURL(s.link)))
		default:
			err = r.out.add(s.text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

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
