package liquid

import (
	"regexp"
	"slices"

	"github.com/osteele/liquid/parser"
)

var (
	// A literal first: what is in it names nothing.
	named     = regexp.MustCompile(`"[^"]*"|'[^']*'|\b(?:attributes(?:\.([\pL_][\pL\pN_-]*)|\[\s*(?:"([^"]*)"|'([^']*)')\s*\])|name\b|email\b)`)
	defaulted = regexp.MustCompile(`\|\s*default\b`)
	asks      = set("if elsif unless case when")
)

// Unguarded names what a template writes of a person as it is: "name", "email",
// "attributes.city", in order, each once. What has a default filter is left out,
// and so is what a condition anywhere in these parts asks about.
func Unguarded(parts ...string) []string {
	var written, asked []string
	for _, source := range parts {
		for _, t := range scan(source) {
			switch {
			case t.inert:
			case t.Type == parser.ObjTokenType && !defaulted.MatchString(t.Args):
				written = append(written, personal(t.Args)...)
			case t.Type == parser.TagTokenType && asks[t.Name]:
				asked = append(asked, personal(t.Args)...)
			}
		}
	}
	slices.Sort(written)
	return slices.DeleteFunc(slices.Compact(written), func(v string) bool { return slices.Contains(asked, v) })
}

// personal is the variables of Vars that differ from person to person.
func personal(expression string) []string {
	var out []string
	for _, m := range named.FindAllStringSubmatchIndex(expression, -1) {
		v := expression[m[0]:m[1]]
		if v[0] == '"' || v[0] == '\'' || m[0] > 0 && expression[m[0]-1] == '.' { // the last: of something else
			continue
		}
		for _, group := range [][]int{m[2:4], m[4:6], m[6:8]} {
			if group[0] >= 0 {
				v = "attributes." + expression[group[0]:group[1]]
			}
		}
		out = append(out, v)
	}
	return out
}
