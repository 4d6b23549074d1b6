package liquid

import (
	"errors"
	"reflect"
	"strings"
	"unicode/utf8"
)

var errNotAList = errors.New("not a list")

// items is a value as a list of at most maxItems; nil is the empty one.
func items(v any) ([]any, error) {
	if v == nil {
		return nil, nil
	}
	if list, ok := v.([]any); ok && len(list) <= maxItems {
		return list, nil
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Slice && rv.Kind() != reflect.Array {
		return nil, errNotAList
	}
	if rv.Len() > maxItems {
		return nil, errTooLarge
	}
	list := make([]any, rv.Len())
	for i := range list {
		list[i] = rv.Index(i).Interface()
	}
	return list, nil
}

func concat(a, b any) ([]any, error) {
	first, err := items(a)
	if err != nil {
		return nil, err
	}
	second, err := items(b)
	if err != nil {
		return nil, err
	}
	if len(first)+len(second) > maxItems {
		return nil, errTooLarge
	}
	return append(append(make([]any, 0, len(first)+len(second)), first...), second...), nil
}

func join(v any, separator func(string) string) (string, error) {
	list, err := items(v)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	sep := separator(" ")
	for i, item := range list {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(text(item))
		if b.Len() > maxValue {
			return "", errTooLarge
		}
	}
	return b.String(), nil
}

func uniq(v any) ([]any, error) {
	list, err := items(v)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(list))
	out := make([]any, 0, len(list))
	for _, item := range list {
		if s := text(item); !seen[s] {
			seen[s] = true
			out = append(out, item)
		}
	}
	return out, nil
}

func split(v, separator any) ([]string, error) {
	s, sep := text(v), text(separator)
	n := strings.Count(s, sep)
	if sep == "" {
		n = utf8.RuneCountInString(s)
	}
	if n >= maxItems {
		return nil, errTooLarge
	}
	parts := strings.Split(s, sep)
	if sep == " " {
		parts = strings.Fields(s)
	}
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts, nil
}

// slice is a piece of a string, in characters, or of a list.
func slice(v any, start int, length func(int) int) (any, error) {
	n := length(1)
	if list, err := items(v); err == nil {
		from, to := span(len(list), start, n)
		return list[from:to], nil
	}
	runes := []rune(text(v))
	from, to := span(len(runes), start, n)
	return string(runes[from:to]), nil
}

// span bounds n things from start, counted from the end when negative.
func span(size, start, n int) (from, to int) {
	if start < 0 {
		start += size
	}
	from = min(max(start, 0), size)
	return from, from + min(max(n, 0), size-from)
}

// truncate cuts to a number of characters, the ellipsis included.
func truncate(v any, length func(int) int, ellipsis func(string) string) (string, error) {
	s, n, dots := text(v), length(50), ellipsis("...")
	runes := []rune(s)
	if len(runes) <= n {
		return s, nil
	}
	keep := max(n-utf8.RuneCountInString(dots), 0)
	return grown(string(runes[:min(keep, len(runes))]) + dots)
}

func truncateWords(v any, length func(int) int, ellipsis func(string) string) (string, error) {
	s, n, dots := text(v), max(length(15), 1), ellipsis("...")
	words := strings.Fields(s)
	if len(words) <= n {
		return s, nil
	}
	return grown(strings.Join(words[:n], " ") + dots)
}
