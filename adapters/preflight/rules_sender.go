package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dmarc"
)

// rulesOfSender are about whom the message comes from, and whether receivers can tell.
var rulesOfSender = []Rule{
	{"from_domain_missing", Block, "The sender's domain is there.", network, fromDomainMissing},
	{"dmarc_reject", Block, "The sender's domain does not ask receivers to reject these messages.", network, dmarcReject},
	{"no_mail_server", Warn, "There is a mail server to send by.", settings, noMailServer},
	{"from_reserved", Warn, "The sender's domain is one that somebody can own.", settings, fromReserved},
	{"from_freemail", Warn, "The sender's domain is not a public mailbox provider's.", settings, fromFreemail},
	{"replies_bounce", Warn, "Replies can be delivered.", network, repliesBounce},
	{"no_dkim_key", Warn, "Messages are signed for the sender's domain (DKIM).", settings, noDKIMKey},
	{"dkim_record_missing", Warn, "The DNS has the record of each DKIM key.", network, dkimRecordMissing},
	{"dkim_record_differs", Warn, "The DNS has each DKIM key as it is used.", network, dkimRecordDiffers},
	{"spf_missing", Warn, "The domain that bounces go to has an SPF record.", network, spfMissing},
	{"spf_invalid", Warn, "Receivers can read the SPF record.", network, spfInvalid},
	{"spf_weak", Warn, "The SPF record says who may not send.", network, spfWeak},
	{"spf_too_many_lookups", Warn, "The SPF record takes ten lookups at most.", network, spfTooManyLookups},
	{"spf_unaligned", Warn, "Bounces go to the sender's own domain, so that SPF speaks for it.", network, spfUnaligned},
	{"dmarc_missing", Warn, "The sender's domain has a DMARC record.", network, dmarcMissing},
	{"dmarc_quarantine", Warn, "The sender's domain does not ask receivers to put these messages into spam.", network, dmarcQuarantine},
}

func fromDomainMissing(f *facts) verdict {
	switch f.dns.from {
	case present:
		return verdict{}
	case absent:
		return found("The DNS does not know " + f.from + ": receivers refuse mail from a domain that is not there.")
	}
	return silent
}

func dmarcReject(f *facts) verdict { return f.refusedBy(dmarc.PolicyReject, "rejected") }

func dmarcQuarantine(f *facts) verdict { return f.refusedBy(dmarc.PolicyQuarantine, "put into spam") }

func (f *facts) refusedBy(asks dmarc.Policy, what string) verdict {
	switch {
	case f.dns.policy.state == unknown:
		return silent
	case f.dns.policy.asks != asks:
		return verdict{}
	}
	switch f.passes() {
	case present:
		return verdict{}
	case unknown:
		return silent
	}
	return found(fmt.Sprintf("%s asks for mail to be %s that neither a DKIM key of it nor its SPF record vouches for (DMARC p=%s), and none does here.", f.from, what, asks))
}

func noMailServer(f *facts) verdict {
	if f.sends {
		return verdict{}
	}
	return found("Nothing is sent from here: no mail server is named (--smtp).")
}

func fromReserved(f *facts) verdict {
	if f.from == "" || !reserved(f.from) {
		return verdict{}
	}
	return found(f.from + " is a name for examples or for one's own network: nobody can answer, and receivers may refuse it.")
}

// freemail is the largest public mailbox providers; yahoo, hotmail, live and
// outlook have a domain for each country.
var freemail = strings.Fields(`gmail.com googlemail.com aol.com icloud.com me.com mac.com msn.com gmx.com gmx.net gmx.de gmx.at gmx.ch
	web.de t-online.de freenet.de mail.com mail.ru yandex.ru yandex.com proton.me protonmail.com pm.me fastmail.com zoho.com
	orange.fr free.fr laposte.net wanadoo.fr sfr.fr libero.it virgilio.it tiscali.it seznam.cz wp.pl o2.pl onet.pl interia.pl
	comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net btinternet.com sky.com
	qq.com 163.com 126.com sina.com naver.com daum.net hanmail.net rediffmail.com uol.com.br bol.com.br terra.com.br`)

func fromFreemail(f *facts) verdict {
	name, _, _ := strings.Cut(f.from, ".")
	if !slices.Contains(freemail, f.from) && !(slices.Contains([]string{"yahoo", "ymail", "hotmail", "live", "outlook"}, name) && organisation(f.from) == f.from) {
		return verdict{}
	}
	return found("Mail from " + f.from + " has to come from its own servers: receivers reject it, or put it into spam (DMARC). Send from a domain of your own.")
}

func repliesBounce(f *facts) verdict {
	switch f.dns.replies {
	case present:
		return verdict{}
	case absent:
		return found(f.replies + " takes no mail: replies bounce.")
	}
	return silent
}

func noDKIMKey(f *facts) verdict {
	switch {
	case f.from == "":
		return unclear("the sender has no domain yet")
	case len(f.keys) == 0:
		return found("Messages are not signed here: there is no active DKIM key for " + f.from + ". Large mailbox providers expect one of whoever sends to many.")
	}
	return verdict{}
}

func dkimRecordMissing(f *facts) verdict {
	return f.keysThat("The DNS does not have the record of a DKIM key: signatures by it count for nothing.",
		func(k published) string {
			if k.state == absent {
				return k.Name + ": publish " + k.Record
			}
			return ""
		})
}

func dkimRecordDiffers(f *facts) verdict {
	return f.keysThat("The DNS has another record than that of a DKIM key: signatures by it do not verify.",
		func(k published) string {
			if k.why != "" {
				return k.Name + ": " + k.why + "; publish " + k.Record
			}
			return ""
		})
}

func (f *facts) keysThat(text string, wrong func(published) string) verdict {
	if len(f.dns.keys) == 0 {
		return unclear("there is no DKIM key to look for")
	}
	var all []string
	unsure := false
	for _, k := range f.dns.keys {
		unsure = unsure || k.state == unknown
		if why := wrong(k); why != "" {
			all = append(all, why)
		}
	}
	switch {
	case len(all) > 0:
		return found(text, all...)
	case unsure:
		return silent
	}
	return verdict{}
}

// ofSPF is for rules about a record that is there.
func (f *facts) ofSPF(look func(spf) verdict) verdict {
	switch f.dns.spf.state {
	case unknown:
		return silent
	case absent:
		return unclear("there is no SPF record to look at")
	}
	return look(f.dns.spf)
}

func spfMissing(f *facts) verdict {
	switch f.dns.spf.state {
	case present:
		return verdict{}
	case absent:
		return found(f.envelope + ", where bounces go, has no SPF record: receivers cannot tell who may send for it (RFC 7208).")
	}
	return silent
}

func spfInvalid(f *facts) verdict {
	return f.ofSPF(func(s spf) verdict {
		switch {
		case s.why != "":
			return found("Receivers cannot read the SPF record of " + f.envelope + ": " + clip(s.why, 200) + ".")
		case !s.passes:
			return found("The SPF record of " + f.envelope + " lets nobody send.")
		}
		return verdict{}
	})
}

func spfWeak(f *facts) verdict {
	return f.ofSPF(func(s spf) verdict {
		switch {
		case s.why != "" || s.all == '-':
			return verdict{}
		case s.all == '+':
			return found("The SPF record of " + f.envelope + " lets everybody send (+all).")
		case s.all == '~':
			return found("The SPF record of " + f.envelope + " only suspects others who send for it (~all); -all forbids it.")
		}
		return found("The SPF record of " + f.envelope + " says nothing of others who send for it; end it with -all.")
	})
}

func spfTooManyLookups(f *facts) verdict {
	return f.ofSPF(func(spf) verdict {
		if f.dns.lookups <= maxLookups {
			return verdict{}
		}
		return found("The SPF record of " + f.envelope + " takes more than 10 lookups: receivers give up (RFC 7208, section 4.6.4).")
	})
}

func spfUnaligned(f *facts) verdict {
	switch {
	case aligned(f.envelope, f.from, f.dns.policy.spf):
		return verdict{}
	case f.dns.policy.state == unknown:
		return silent
	}
	return found("Bounces go to " + f.envelope + ", and the sender is of " + f.from + ": by DMARC, SPF then says nothing of the sender; only DKIM does.")
}

func dmarcMissing(f *facts) verdict {
	switch {
	case f.dns.policy.state == unknown:
		return silent
	case f.dns.policy.state == absent:
		return found("There is no DMARC record for " + f.from + `; Gmail and Yahoo want one of whoever sends to many. "v=DMARC1; p=none" will do to begin with.`)
	case f.dns.policy.why != "":
		return found("Receivers cannot read the DMARC record for " + f.from + ": " + f.dns.policy.why + ".")
	}
	return verdict{}
}
