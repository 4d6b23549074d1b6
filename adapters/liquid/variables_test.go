package liquid_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cleversender/cleversender/adapters/liquid"
)

// A variable that could be missing in a message is found, whatever it is
// written in; one with a default or a condition is not.
func TestUnguarded(t *testing.T) {
	for source, want := range map[string][]string{
		`Hello {{ name }}, {{ name | upcase }} of {{ attributes.city }}`: {"attributes.city", "name"},
		`{{ attributes["first name"] }} {{attributes['plan']|upcase}}`:   {"attributes.first name", "attributes.plan"},
		`{{ name | default: "reader" }} {{ email }}`:                     {"email"},
		`{% if attributes.city %}in {{ attributes.city }}{% endif %}`:    nil,
		`{% unless name == blank %}{{ name }}{% endunless %}`:            nil,
		`{% raw %}{{ name }}{% endraw %}{{ list }} {{ campaign.name }}`:  nil,
		`{% comment %}{{ name }}{% endcomment %} name {{ rename }}`:      nil,
		`{{ email | replace: "name", 'name' }}{{ "}" }}`:                 {"email"},
		`{{ list | append: attributes.city }}`:                           {"attributes.city"},
	} {
		if diff := cmp.Diff(want, liquid.Unguarded("", source), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", source, diff)
		}
	}
	if got := liquid.Unguarded("{{ name }}", "{% if name %}{% endif %}"); len(got) > 0 {
		t.Errorf("what another part asks about is found: %v", got)
	}
}
