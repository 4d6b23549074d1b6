package csvimport

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cleversender/cleversender/domain"
)

// Targets that a column can be mapped to; every other target is the name of
// an attribute.
const (
	TargetEmail       = "email"
	TargetName        = "name"
	TargetFirstName   = "first_name"
	TargetLastName    = "last_name"
	TargetConsentedAt = "consented_at"
	TargetIgnore      = "-" // the column is not read
)

const maxAttributeName = 64 // octets

// What makes a header unusable.
var (
	ErrEmptyFile     = domain.Refuse("empty_file", "the file holds nothing")
	ErrNoHeader      = domain.Refuse("no_header", "the first line must name the columns, and it holds an address")
	ErrBadHeader     = domain.Refuse("bad_header", "the first line cannot be read as the names of at most 200 columns")
	ErrNoEmailColumn = domain.Refuse("no_email_column", "no column is named email, and none is mapped to it")
	ErrUnknownColumn = domain.Refuse("unknown_column", "the mapping names a column that the file does not have")
	ErrMappedTwice   = domain.Refuse("mapped_twice", "the mapping gives two columns the same target")
	ErrBadDelimiter  = domain.Refuse("bad_delimiter", "the delimiter must be a comma, a semicolon, a tab or a vertical bar")
)

// usual is what columns are called, as attributeName makes it.
var usual = map[string]string{
	"email": TargetEmail, "e_mail": TargetEmail, "mail": TargetEmail, "email_address": TargetEmail,
	"e_mail_address": TargetEmail, "emailaddress": TargetEmail, "subscriber_email": TargetEmail, "e_mail_adresse": TargetEmail,
	"name": TargetName, "full_name": TargetName, "fullname": TargetName, "display_name": TargetName,
	"first_name": TargetFirstName, "firstname": TargetFirstName, "given_name": TargetFirstName, "vorname": TargetFirstName, "prénom": TargetFirstName,
	"last_name": TargetLastName, "lastname": TargetLastName, "surname": TargetLastName, "family_name": TargetLastName, "nachname": TargetLastName,
	"consented_at": TargetConsentedAt, "consent_at": TargetConsentedAt, "consent_time": TargetConsentedAt, "consent_date": TargetConsentedAt,
	"opt_in_time": TargetConsentedAt, "optin_time": TargetConsentedAt, "opt_in_at": TargetConsentedAt, "opt_in_date": TargetConsentedAt,
	"confirm_time": TargetConsentedAt, "subscribed_at": TargetConsentedAt,
}

// columns says which field of a record is what; -1: there is none.
type columns struct {
	email, name, first, last, claimed int
	attributes                        []attribute // in the order of their names
	count                             int
}

type attribute struct {
	name  string
	field int
}

// columnsOf reads a header. mapping goes from a column's name to its target,
// and wins over what columns are usually called.
func columnsOf(header [][]byte, mapping map[string]string) (columns, error) {
	names := make([]string, len(header))
	for i, h := range header {
		names[i] = strings.TrimSpace(string(h))
		if strings.Contains(names[i], "@") {
			return columns{}, ErrNoHeader
		}
	}
	targets, err := mapped(names, mapping)
	if err != nil {
		return columns{}, err
	}
	taken := map[string]bool{}
	for _, target := range targets {
		taken[target] = true
	}
	for i, name := range names {
		if target := usual[attributeName(name)]; targets[i] == "" && target != "" && !taken[target] {
			targets[i], taken[target] = target, true
		}
	}
	return place(names, targets)
}

// mapped gives the columns that the mapping names their targets.
func mapped(names []string, mapping map[string]string) ([]string, error) {
	targets, seen := make([]string, len(names)), map[string]bool{}
	for from, target := range mapping {
		i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, strings.TrimSpace(from)) })
		if i < 0 {
			return nil, ErrUnknownColumn
		}
		if target = strings.TrimSpace(target); target != TargetIgnore {
			target = attributeName(target)
		}
		if target == "" || target != TargetIgnore && seen[target] {
			return nil, ErrMappedTwice
		}
		targets[i], seen[target] = target, true
	}
	return targets, nil
}

// place turns targets into field numbers; what has none becomes an attribute.
func place(names, targets []string) (columns, error) {
	c := columns{-1, -1, -1, -1, -1, nil, len(names)}
	roles := map[string]*int{
		TargetEmail: &c.email, TargetName: &c.name, TargetFirstName: &c.first, TargetLastName: &c.last, TargetConsentedAt: &c.claimed,
	}
	taken := map[string]bool{}
	for _, target := range targets {
		taken[target] = true
	}
	for i, target := range targets {
		if role := roles[target]; role != nil {
			*role = i
			continue
		}
		if target == TargetIgnore {
			continue
		}
		if target == "" {
			target = unused(attributeName(names[i]), i, taken)
		}
		c.attributes = append(c.attributes, attribute{target, i})
	}
	if c.email < 0 {
		return columns{}, ErrNoEmailColumn
	}
	slices.SortFunc(c.attributes, func(a, b attribute) int { return strings.Compare(a.name, b.name) })
	return c, nil
}

// unused is the name, or the name with a number when another column has it.
func unused(name string, field int, taken map[string]bool) string {
	if name == "" {
		name = "column_" + strconv.Itoa(field+1)
	}
	free := name
	for n := 2; taken[free]; n++ {
		suffix := "_" + strconv.Itoa(n)
		free = strings.ToValidUTF8(name[:min(len(name), maxAttributeName-len(suffix))], "") + suffix
	}
	taken[free] = true
	return free
}

// attributeName makes snake_case of a column's name: letters, marks and digits
// of any script in lower case, everything else one underscore; at most 64 octets.
func attributeName(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) || r == utf8.RuneError {
			gap = b.Len() > 0
			continue
		}
		r = unicode.ToLower(r)
		if b.Len()+utf8.RuneLen(r)+1 > maxAttributeName {
			break
		}
		if gap {
			b.WriteByte('_')
		}
		b.WriteRune(r)
		gap = false
	}
	return b.String()
}
