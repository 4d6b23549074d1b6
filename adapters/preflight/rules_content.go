package preflight

import (
	"fmt"
	"net/url"
	"slices"
)

const (
	clipped    = 102 << 10 // octets of HTML after which Gmail hides the rest
	maxSubject = 150       // characters; few mailboxes show half as many
)

// rulesOfContent are about what the message says.
var rulesOfContent = []Rule{
	{"content_broken", Block, "A message can be made for everybody in the sample.", settings, contentBroken},
	{"no_unsubscribe", Block, "Every message offers a way to unsubscribe.", settings, noUnsubscribe},
	{"link_malformed", Block, "Every link is a whole address that recipients can reach.", message, linkMalformed},
	{"unsubscribe_not_in_body", Warn, "The text of every message holds the link to unsubscribe.", message, unsubscribeNotInBody},
	{"unsubscribe_not_https", Warn, "The links to unsubscribe are https.", settings, unsubscribeNotHTTPS},
	{"unsubscribe_unreachable", Warn, "Recipients can reach the links to unsubscribe.", settings, unsubscribeUnreachable},
	{"link_not_https", Warn, "Every link is https.", message, linkNotHTTPS},
	{"link_broken", Warn, "Every link of the template leads somewhere.", message, linkBroken},
	{"html_too_large", Warn, "The HTML part is small enough to be shown whole.", message, htmlTooLarge},
	{"no_text", Warn, "Every message has a text part.", message, noText},
	{"image_without_alt", Warn, "Every image has a text in its place.", message, imageWithoutAlt},
	{"subject_empty", Warn, "Every message has a subject.", message, subjectEmpty},
	{"subject_too_long", Warn, "The subject is short enough to be read.", message, subjectTooLong},
	{"variable_empty", Warn, "Nobody in the sample lacks what the template says of them.", message, variableEmpty},
}

func contentBroken(f *facts) verdict {
	switch {
	case f.broken != nil:
		return found("No message can be made: " + f.broken.Error() + ".")
	case f.sample.refused > 0:
		return found(fmt.Sprintf("For %d of %d people no message can be made: %v.", f.sample.refused, f.sample.made+f.sample.refused, f.sample.why))
	}
	return verdict{}
}

// base is where recipients reach this server; nil: nowhere.
func (f *facts) baseURL() *url.URL {
	u, err := url.Parse(f.base)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	return u
}

func noUnsubscribe(f *facts) verdict {
	if f.baseURL() != nil {
		return verdict{}
	}
	return found("Nobody could unsubscribe: the address at which recipients reach the server is not known (--base-url).")
}

var noAddress = unclear("the address of the server is not known")

func unsubscribeNotInBody(f *facts) verdict {
	s := f.sample
	if s.noWayOut == 0 {
		return verdict{}
	}
	return found(fmt.Sprintf("%d of %d messages hold no link to unsubscribe; the mailbox may offer one, but do put {{ unsubscribe_url }} into the template.", s.noWayOut, s.made))
}

func unsubscribeNotHTTPS(f *facts) verdict {
	u := f.baseURL()
	switch {
	case u == nil:
		return noAddress
	case u.Scheme == "https":
		return verdict{}
	}
	return found("Mailboxes offer unsubscribing by one click only by https (RFC 8058); this server is reached by http.")
}

func unsubscribeUnreachable(f *facts) verdict {
	u := f.baseURL()
	switch {
	case u == nil:
		return noAddress
	case !isPrivate(u.Hostname()):
		return verdict{}
	}
	return found("Links to unsubscribe lead to " + u.Hostname() + ", which recipients cannot reach (--base-url).")
}

// linksThat describes links with something wrong.
func (f *facts) linksThat(why func(*link) string) (out []string) {
	for _, l := range f.sample.links.all {
		text := why(l)
		switch {
		case text == "", l.written == "" && f.sample.people == 0: // the latter: of somebody made up
		case l.written != "":
			out = append(out, clip(l.written, 200)+": "+text)
		default:
			out = append(out, fmt.Sprintf("a link that is made for each recipient: %s, in %d of %d messages", text, l.messages, f.sample.made))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func linkMalformed(f *facts) verdict {
	if bad := f.linksThat(func(l *link) string { return l.wrong }); len(bad) > 0 {
		return found(plural(len(bad), "%d link does", "%d links do")+" not work.", bad...)
	}
	return verdict{}
}

func linkNotHTTPS(f *facts) verdict {
	if bad := f.linksThat(func(l *link) string {
		if l.insecure && l.wrong == "" {
			return "not https"
		}
		return ""
	}); len(bad) > 0 {
		return found(plural(len(bad), "%d link is", "%d links are")+" not https.", bad...)
	}
	return verdict{}
}

func linkBroken(f *facts) verdict {
	switch {
	case !f.fetch:
		return unclear("links are fetched only when that is asked for")
	case len(f.dead) > 0:
		return found(plural(len(f.dead), "%d link does", "%d links do")+" not answer as it should.", f.dead...)
	}
	return verdict{}
}

func htmlTooLarge(f *facts) verdict {
	if f.sample.largest <= clipped {
		return verdict{}
	}
	return found(fmt.Sprintf("The HTML part has up to %d kB; Gmail hides what comes after 102 kB, and the link to unsubscribe is often there.", (f.sample.largest+1023)>>10))
}

func noText(f *facts) verdict {
	if f.sample.noText == 0 {
		return verdict{}
	}
	return found(fmt.Sprintf("%d of %d messages have an empty text part: whoever reads without HTML sees nothing.", f.sample.noText, f.sample.made))
}

func imageWithoutAlt(f *facts) verdict {
	if f.sample.silent == 0 {
		return verdict{}
	}
	return found(plural(f.sample.silent, "%d image has", "%d images have") + " no alt text: many mailboxes show no images at first, and not everybody sees them.")
}

func subjectEmpty(f *facts) verdict {
	if f.sample.noSubject == 0 {
		return verdict{}
	}
	return found(fmt.Sprintf("%d of %d messages have no subject.", f.sample.noSubject, f.sample.made))
}

func subjectTooLong(f *facts) verdict {
	if f.sample.longest <= maxSubject {
		return verdict{}
	}
	return found(fmt.Sprintf("The subject has up to %d characters; mailboxes cut it long before %d.", f.sample.longest, maxSubject))
}

func variableEmpty(f *facts) verdict {
	if f.sample.people == 0 {
		return unclear("there is nobody to look at")
	}
	var lacking []string
	for _, v := range f.letter.Variables {
		if n := f.sample.missing[v]; n > 0 {
			lacking = append(lacking, fmt.Sprintf("%s: empty for %d of %d people (%s)", v, n, f.sample.people, percent(n, f.sample.people)))
		}
	}
	if len(lacking) == 0 {
		return verdict{}
	}
	return found(`The template says of some people what is not known of them; write {{ name | default: "reader" }}, or ask with {% if %}.`, lacking...)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf(one, n)
	}
	return fmt.Sprintf(many, n)
}

// percent rounds, but not to none and not to all.
func percent(n, of int) string {
	p := (200*n + of) / (2 * of)
	switch {
	case p == 0 && n > 0:
		return "under 1 %"
	case p == 100 && n < of:
		return "over 99 %"
	}
	return fmt.Sprintf("%d %%", p)
}
