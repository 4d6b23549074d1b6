package delivery_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
)

// Of an event about several recipients, one of them is shown their own part;
// a stranger is shown nobody.
func TestOnly(t *testing.T) {
	both := delivery.Subjects{person(100), person(101)}
	intended := delivery.Intended{Campaign: mailing, Subjects: both, Ordinals: []int{100, 101}, Consents: []event.Position{7, 8}}
	accepted := delivery.Accepted{Campaign: mailing, Subjects: both, Ordinals: []int{100, 101}, Code: 250, Server: "main"}
	for name, c := range map[string]struct {
		of           event.Shared
		second, none any
	}{
		"intended": {
			intended,
			delivery.Intended{Campaign: mailing, Subjects: both[1:], Ordinals: []int{101}, Consents: []event.Position{8}},
			delivery.Intended{Campaign: mailing},
		},
		"accepted": {
			accepted,
			delivery.Accepted{Campaign: mailing, Subjects: both[1:], Ordinals: []int{101}, Code: 250, Server: "main"},
			delivery.Accepted{Campaign: mailing, Code: 250, Server: "main"},
		},
	} {
		if diff := cmp.Diff(c.second, c.of.Only(person(101))); diff != "" {
			t.Errorf("%s, of one of them: %s", name, diff)
		}
		if diff := cmp.Diff(c.none, c.of.Only(domain.ID{15: 9})); diff != "" {
			t.Errorf("%s, of a stranger: %s", name, diff)
		}
	}
}
