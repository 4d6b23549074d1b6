package liquid

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/osteele/liquid/render"
)

// A segment is a piece of a part's top level. All but nodes, and that is most
// of a newsletter, is written without the library.
type segment struct {
	kind     kind
	i        int    // fixed: index into the part's fixed texts; link: into the links
	name     string // variable: as templates name it
	key      string // variable: of the attributes; "": it is no attribute
	fallback string // variable: in place of an empty one; link: the target as it was written
	node     *render.BlockNode
}

type kind uint8

const (
	fixed kind = iota
	link
	pixel
	variable // with its node, for when its value is not a string
	node     // what the library renders
)

// segmented cuts the tree's top level into segments. Whitespace control reaches
// from node to node: a tree with some at its top level stays whole.
func (p *part) segmented(root *render.SeqNode) {
	var segments []segment
	texts := []string{}
	library := false
	for _, n := range root.Children {
		switch n := n.(type) {
		case *render.TrimNode:
			p.fixed = []string{}
			return
		case *render.TextNode:
			segments = append(segments, segment{kind: fixed, i: len(texts)})
			texts = append(texts, n.Source)
		default:
			s, simple := simple(n)
			if !simple {
				s, library = segment{kind: node, node: alone(n)}, true
			}
			segments = append(segments, s)
		}
	}
	p.fixed, p.segments = texts, segments
	if !library {
		p.code = nil
		return
	}
	root.Children = []render.Node{silentTag(func(ctx render.Context) error {
		return runOf(ctx).segments(p.segments, p.escape, ctx)
	})}
}

func alone(n render.Node) *render.BlockNode { return &render.BlockNode{Body: []render.Node{n}} }

// simple is a node of the top level that needs no library: a tag of ours, or a
// variable alone between its braces or with a default in quotes.
func simple(n render.Node) (segment, bool) {
	switch n := n.(type) {
	case *render.TagNode:
		switch n.Name {
		case pixelTag:
			return segment{kind: pixel}, true
		case linkTag:
			index, written, _ := strings.Cut(n.Args, " ")
			i, err := strconv.Atoi(index)
			return segment{kind: link, i: i, fallback: written}, err == nil
		}
	case *render.ObjectNode:
		m := plainVariable.FindStringSubmatch(n.Args)
		if m == nil {
			break
		}
		s := segment{kind: variable, name: m[1], key: m[2], node: alone(n)}
		if m[3] != "" {
			s.fallback = m[3][1 : len(m[3])-1]
		}
		return s, s.key != "size" // which the library knows of any map
	}
	return segment{}, false
}

var plainVariable = regexp.MustCompile(
	`^(name|email|list|campaign|unsubscribe_url|view_url|attributes\.([a-z_][a-z0-9_]*))(?:\s*\|\s*default:\s*("[^"]*"|'[^']*'))?$`)

// segments writes a part; ctx is nil when the library has no share in it.
func (r *Rendering) segments(segments []segment, escape func(string) string, ctx render.Context) error {
	for i := range segments {
		s := &segments[i]
		var err error
		switch s.kind {
		case fixed:
			err = r.out.fixed(s.i)
		case link:
			_, err = r.out.Write(r.appendLink(r.room[:0], s.i, s.fallback))
		case pixel:
			_, err = r.out.Write(r.appendPixel(r.room[:0]))
		case variable:
			value, isText := r.value(s, ctx)
			if !isText {
				err = ctx.RenderBlock(&r.out, s.node)
				break
			}
			if value == "" {
				value = s.fallback
			}
			err = r.out.add(escape(value))
		case node:
			err = ctx.RenderBlock(&r.out, s.node)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// value is a variable's, unless a tag has made it something else than text.
func (r *Rendering) value(s *segment, ctx render.Context) (value string, isText bool) {
	switch {
	case ctx == nil && s.key != "":
		return r.vars.Attributes[s.key], true
	case ctx == nil:
		return r.vars.named(s.name), true
	case s.key != "":
		attributes, isMap := ctx.Get("attributes").(map[string]string)
		return attributes[s.key], isMap
	}
	value, isText = ctx.Get(s.name).(string)
	return value, isText
}

func (v *Vars) named(name string) string {
	switch name {
	case "name":
		return v.Name
	case "email":
		return v.Email
	case "list":
		return v.List
	case "campaign":
		return v.Campaign
	case "unsubscribe_url":
		return v.UnsubscribeURL
	case "view_url":
		return v.ViewURL
	}
	panic("liquid: no variable " + name)
}

// appendLink appends the URL of a tracked link, or what was written when it is not tracked.
func (r *Rendering) appendLink(dst []byte, i int, written string) []byte {
	if r.vars.LinkURL == nil {
		return append(dst, written...)
	}
	return escapedFrom(r.vars.LinkURL(dst, i), len(dst))
}

func (r *Rendering) appendPixel(dst []byte) []byte {
	if r.vars.PixelURL == nil {
		return dst
	}
	dst = append(dst, `<img src="`...)
	dst = escapedFrom(r.vars.PixelURL(dst), len(dst))
	return append(dst, `" alt="" width="1" height="1" style="display:block;border:0">`...)
}

// escapedFrom makes what dst holds from an index on text of an attribute's value.
func escapedFrom(dst []byte, from int) []byte {
	for _, b := range dst[from:] {
		if special[b] {
			return append(dst[:from], escapeHTML(string(dst[from:]))...)
		}
	}
	return dst
}
