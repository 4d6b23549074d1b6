package address

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/domain"
)

// An address comes back in the form to send to and the form that tells people apart.
func TestParse(t *testing.T) {
	for raw, want := range map[string]Address{
		"ann@example.org":                {"ann@example.org", "ann@example.org"},
		"  Ann.Lee@Example.ORG\t":        {"Ann.Lee@example.org", "ann.lee@example.org"},
		"o'hara+news@mail.example.com":   {"o'hara+news@mail.example.com", "o'hara+news@mail.example.com"},
		"ann@example.org.":               {"ann@example.org", "ann@example.org"},
		"ann@bücher.example":             {"ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"},
		"ann@BÜCHER.example":             {"ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"},
		"ann@bu\u0308cher.example":       {"ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"},
		"ann@xn--bcher-kva.example":      {"ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"},
		"用户@例子.example":                  {"用户@xn--fsqu00a.example", "用户@xn--fsqu00a.example"},
		"Jose\u0301@example.org":         {"José@example.org", "josé@example.org"},
		"ann@example.xn--p1ai":           {"ann@example.xn--p1ai", "ann@example.xn--p1ai"},
		"x@a-b.example":                  {"x@a-b.example", "x@a-b.example"},
		strings.Repeat("a", 64) + "@b.c": {strings.Repeat("a", 64) + "@b.c", strings.Repeat("a", 64) + "@b.c"},
	} {
		got, err := Parse(raw)
		if err != nil {
			t.Errorf("Parse(%q): %v", raw, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Parse(%q): -want +got\n%s", raw, diff)
		}
	}
}

// What is not an address is refused with the code of its reason.
func TestParseRefuses(t *testing.T) {
	long := strings.Repeat("b", 60)
	for raw, want := range map[string]error{
		"":                         ErrEmpty,
		" \t":                      ErrEmpty,
		"ann":                      ErrBad,
		"@example.org":             ErrBad,
		"ann@lee@example.org":      ErrBad,
		".ann@example.org":         ErrBad,
		"ann.@example.org":         ErrBad,
		"ann..lee@example.org":     ErrBad,
		`"ann lee"@example.org`:    ErrControls,
		`"ann"@example.org`:        ErrBad,
		"Ann <ann@example.org>":    ErrControls,
		"ann@example.org,b@c.d":    ErrBad,
		"ann(x)@example.org":       ErrBad,
		"ann lee@example.org":      ErrControls,
		"ann@exam ple.org":         ErrControls,
		"ann@example.org\r\nBcc:x": ErrControls,
		"ann\x00@example.org":      ErrControls,
		"ann\u200b@example.org":    ErrControls,
		"ann\u202e@example.org":    ErrControls,
		"ann\xff@example.org":      ErrBadUTF8,
		"ann@":                     ErrDomain,
		"ann@localhost":            ErrDomain,
		"ann@example..org":         ErrDomain,
		"ann@-example.org":         ErrDomain,
		"ann@example-.org":         ErrDomain,
		"ann@exa_mple.org":         ErrDomain,
		"ann@[192.0.2.1]":          ErrDomain,
		"ann@192.0.2.1":            ErrDomain,
		"ann@xn--zzzzzzz99.org":    ErrDomain,
		"ann@" + strings.Repeat("c", 64) + ".org":                              ErrDomain,
		strings.Repeat("a", 65) + "@example.org":                               ErrTooLong,
		strings.Repeat("é", 33) + "@example.org":                               ErrTooLong,
		"a@" + long + "." + long + "." + long + "." + long + "." + long + ".c": ErrTooLong,
		strings.Repeat("a@", 1<<20):                                            ErrTooLong,
	} {
		got, err := Parse(raw)
		if !errors.Is(err, want) || got != (Address{}) {
			t.Errorf("Parse(%.60q) = %v, want %v", raw, err, want)
		}
	}
}

// The quick way and the thorough way never disagree, a normal address is its
// own normal form, and nothing that could end a header or an SMTP line passes.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"Ann@Example.org", "ann@bücher.example", "a@b.c", "用户@例子.example", "a@xn--a.example", "a@b.c.", "a@ab--c.de"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		a, err := Parse(raw)
		if err != nil {
			var refusal domain.Refusal
			if !errors.As(err, &refusal) || a != (Address{}) {
				t.Fatalf("%q: an error that is no refusal: %v", raw, err)
			}
			return
		}
		slow, err := parse(strings.TrimSpace(raw))
		if err != nil || slow != a {
			t.Fatalf("%q: %+v by the quick way, %+v %v by the other", raw, a, slow, err)
		}
		if len(a.Plain) > maxAddress || strings.ContainsAny(a.Plain, "\r\n\x00<> \t,;\"") || strings.Count(a.Plain, "@") != 1 {
			t.Fatalf("%q became %q", raw, a.Plain)
		}
		if again, err := Parse(a.Normal); err != nil || again.Normal != a.Normal {
			t.Fatalf("%q is not normal: %+v %v", a.Normal, again, err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, raw := range []string{"ann.lee@mail.example.org", "Ann@Bücher.example"} {
		b.Run(raw, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
