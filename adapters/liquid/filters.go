package liquid

import (
	"errors"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	osteele "github.com/osteele/liquid"
	"github.com/osteele/liquid/values"
	"github.com/osteele/tuesday"
)

// The library's own filters that stay: what they take and yield is bounded by
// what goes in.
const keptFilters = "abs ceil floor modulo minus plus times divided_by round " +
	"compact map reverse sort sort_natural first last"

// Ours take any value as a string, because captured text is not a plain one in
// the HTML part, and refuse to grow beyond maxValue.
type (
	unary   = func(s string) string
	binary  = func(s, arg string) (string, error)
	ternary = func(s, a, b string) (string, error)
)

var unaryFilters = map[string]unary{
	"capitalize": func(s string) string {
		r, n := utf8.DecodeRuneInString(s)
		if n == 0 {
			return s
		}
		return string(unicode.ToUpper(r)) + s[n:]
	},
	"downcase":       strings.ToLower,
	"upcase":         strings.ToUpper,
	"strip":          strings.TrimSpace,
	"lstrip":         func(s string) string { return strings.TrimLeftFunc(s, unicode.IsSpace) },
	"rstrip":         func(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) },
	"strip_newlines": func(s string) string { return strings.NewReplacer("\r", "", "\n", "").Replace(s) },
	"strip_html":     func(s string) string { return markup.ReplaceAllString(s, "") },
	"url_encode":     url.QueryEscape,
}

var markup = regexp.MustCompile(`(?s)<script.*?</script>|<!--.*?-->|<style.*?</style>|<.*?>`)

// markupFilters yield HTML, which is escaped already.
var markupFilters = map[string]unary{
	"escape":        escapeHTML,
	"escape_once":   func(s string) string { return escapeHTML(html.UnescapeString(s)) },
	"newline_to_br": func(s string) string { return strings.ReplaceAll(escapeHTML(s), "\n", "<br>\n") },
}

var binaryFilters = map[string]binary{
	"append": func(s, tail string) (string, error) {
		return bounded(len(s)+len(tail), func() string { return s + tail })
	},
	"prepend": func(s, head string) (string, error) {
		return bounded(len(s)+len(head), func() string { return head + s })
	},
	"remove":       func(s, old string) (string, error) { return strings.ReplaceAll(s, old, ""), nil },
	"remove_first": func(s, old string) (string, error) { return strings.Replace(s, old, "", 1), nil },
}

var ternaryFilters = map[string]ternary{
	"replace": func(s, old, fresh string) (string, error) {
		size := len(s) + strings.Count(s, old)*(len(fresh)-len(old))
		return bounded(size, func() string { return strings.ReplaceAll(s, old, fresh) })
	},
	"replace_first": func(s, old, fresh string) (string, error) {
		return bounded(len(s)+len(fresh), func() string { return strings.Replace(s, old, fresh, 1) })
	},
}

var otherFilters = map[string]any{
	"default": func(v, instead any) any {
		if v == nil || v == false || values.IsEmpty(v) || text(v) == "" {
			return instead
		}
		return v
	},
	"size": func(v any) int {
		if s, ok := v.(values.SafeValue); ok {
			v = s.Value
		}
		return values.Length(v)
	},
	"concat":        concat,
	"join":          join,
	"uniq":          uniq,
	"split":         split,
	"slice":         slice,
	"truncate":      truncate,
	"truncatewords": truncateWords,
	"date":          date,
	"url_decode": func(v any) (string, error) {
		s, err := url.QueryUnescape(text(v))
		if err != nil {
			return "", errors.New("not a URL-encoded value")
		}
		return strings.ToValidUTF8(s, "\uFFFD"), nil
	},
}

var allowedFilters = func() map[string]bool {
	known := set(keptFilters)
	for name := range unaryFilters {
		known[name] = true
	}
	for name := range markupFilters {
		known[name] = true
	}
	for name := range binaryFilters {
		known[name] = true
	}
	for name := range ternaryFilters {
		known[name] = true
	}
	for name := range otherFilters {
		known[name] = true
	}
	return known
}()

func addFilters(e *osteele.Engine, html bool) {
	for name, f := range unaryFilters {
		e.RegisterFilter(name, func(v any) (string, error) { return grown(f(text(v))) })
	}
	for name, f := range markupFilters {
		e.RegisterFilter(name, func(v any) (any, error) {
			s, err := grown(f(text(v)))
			if html {
				return values.SafeValue{Value: s}, err
			}
			return s, err
		})
	}
	for name, f := range binaryFilters {
		e.RegisterFilter(name, func(v, arg any) (string, error) { return f(text(v), text(arg)) })
	}
	for name, f := range ternaryFilters {
		e.RegisterFilter(name, func(v, a, b any) (string, error) { return f(text(v), text(a), text(b)) })
	}
	for name, f := range otherFilters {
		e.RegisterFilter(name, f)
	}
}

// text is a value as a string.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case values.SafeValue:
		return text(v.Value)
	case int:
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		return v.Format("2006-01-02 15:04:05 -0700")
	}
	s, err := join(v, func(string) string { return "" })
	if err == nil {
		return s
	}
	return fmt.Sprint(v)
}

// bounded makes a value unless it would be too large.
func bounded(size int, make func() string) (string, error) {
	if size > maxValue {
		return "", errTooLarge
	}
	return make(), nil
}

// grown lets a value pass that is not too large.
func grown(s string) (string, error) { return bounded(len(s), func() string { return s }) }

var wideDirective = regexp.MustCompile(`%[-_^#0:]*\d{3}`)

func date(v any, format func(string) string) (string, error) {
	f := format("%a, %b %d, %y")
	if len(f) > 1000 || wideDirective.MatchString(f) {
		return "", errTooLarge
	}
	at, ok := v.(time.Time)
	if !ok {
		var err error
		if at, err = values.ParseDate(text(v)); err != nil {
			return text(v), nil // as Shopify's does: what is not a date stays as it is
		}
	}
	return tuesday.Strftime(f, at)
}
