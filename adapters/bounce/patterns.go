package bounce

import "strings"

// A pattern is words that mail servers use. A star stands for anything in
// between.
type pattern struct {
	words  string // in lower case, single spaces
	kind   Kind
	status string
}

// patterns are tried in this order, and the first that is found counts: what
// is about us comes first, what ends a mailbox last, so that a text with two
// reasons is taken for the milder.
var patterns = []pattern{
	// We are not wanted, or what we sent.
	{"blocked using", Block, "5.7.1"},                    // Postfix, reject_rbl_client
	{"spamhaus", Block, "5.7.1"},                         // who asks that DNS list
	{"spamcop", Block, "5.7.1"},                          // likewise
	{"barracudacentral", Block, "5.7.1"},                 // likewise
	{"blacklist", Block, "5.7.1"},                        // Exim's and Sendmail's usual configurations
	{"black list", Block, "5.7.1"},                       // likewise
	{"blocklist", Block, "5.7.1"},                        // likewise, younger
	{"block list", Block, "5.7.1"},                       // Outlook.com, S3140 and S3150
	{"banned sending ip", Block, "5.7.606"},              // Exchange Online
	{"unsolicited", Block, "5.7.1"},                      // Gmail
	{"reputation", Block, "5.7.1"},                       // Gmail, Cisco
	{"user complaints", Block, "5.7.1"},                  // Yahoo, TSS04
	{"as spam", Block, "5.7.1"},                          // "rejected as spam", "identified as spam": SpamAssassin, amavis
	{"spam message", Block, "5.7.1"},                     // rspamd
	{"spam detected", Block, "5.7.1"},                    // Plesk
	{"considered spam", Block, "5.7.1"},                  // web.de, GMX
	{"spam content", Block, "5.7.1"},                     // NetEase
	{"spam score", Block, "5.7.1"},                       // cPanel
	{"likely spam", Block, "5.7.1"},                      // Apple
	{"contains a virus", Block, "5.7.1"},                 // ClamAV milter
	{"infected", Block, "5.7.1"},                         // amavis
	{"dmarc", Block, "5.7.26"},                           // Gmail, Yahoo
	{"unauthenticated email", Block, "5.7.26"},           // Gmail
	{"spf check", Block, "5.7.23"},                       // policyd-spf
	{"spf fail", Block, "5.7.23"},                        // Exchange Online
	{"policy reasons", Block, "5.7.9"},                   // Yahoo
	{"policy violation", Block, "5.7.1"},                 // Symantec
	{"sender verify failed", Block, "5.1.8"},             // Exim
	{"sender address rejected", Block, "5.1.8"},          // Postfix
	{"sender denied", Block, "5.7.1"},                    // Exchange, sender filter
	{"client host rejected", Block, "5.7.1"},             // Postfix
	{"cannot find your", Block, "5.7.25"},                // Postfix, reject_unknown_client_hostname
	{"reverse dns", Block, "5.7.25"},                     // AOL, Comcast
	{"ptr record", Block, "5.7.25"},                      // Gmail
	{"too many messages from", Block, "4.7.1"},           // several, by rate
	{"not authorized to send", Block, "5.7.1"},           // Exchange
	{"restricted to * senders", Block, "5.7.133"},        // Exchange, RESOLVER.RST
	{"restrictedtorecipientspermission", Block, "5.7.1"}, // Exchange, RESOLVER.RST.NotAuthorized

	// The mailbox is full.
	{"mailbox full", Soft, "5.2.2"},                // Dovecot, Exchange
	{"mailboxfull", Soft, "5.2.2"},                 // Exchange, STOREDRV
	{"mailbox is full", Soft, "5.2.2"},             // Outlook, Zimbra
	{"inbox is full", Soft, "5.2.2"},               // Gmail
	{"folder is full", Soft, "5.2.2"},              // Yahoo, Sun
	{"out of storage space", Soft, "5.2.2"},        // Gmail
	{"over quota", Soft, "5.2.2"},                  // Gmail, Yahoo, Courier
	{"overquota", Soft, "5.2.2"},                   // Yahoo
	{"over the quota", Soft, "5.2.2"},              // vpopmail
	{"quota exceeded", Soft, "5.2.2"},              // Dovecot, Cyrus
	{"quota has been exceeded", Soft, "5.2.2"},     // Exim
	{"exceeded * quota", Soft, "5.2.2"},            // CommuniGate
	{"exceed * quota", Soft, "5.2.2"},              // MDaemon
	{"quotaexceeded", Soft, "5.2.2"},               // Exchange, STOREDRV
	{"disk quota", Soft, "5.2.2"},                  // Exim, errno EDQUOT
	{"exceeded storage", Soft, "5.2.2"},            // RFC 5321, section 4.2.2: code 552
	{"insufficient * storage", Soft, "4.3.1"},      // Postfix; RFC 5321: code 452
	{"not enough storage", Soft, "5.2.2"},          // Lotus Domino
	{"postfach ist voll", Soft, "5.2.2"},           // German
	{"postfach voll", Soft, "5.2.2"},               // German
	{"boîte de réception * pleine", Soft, "5.2.2"}, // French
	{"boîte aux lettres * pleine", Soft, "5.2.2"},  // French
	{"buzón * lleno", Soft, "5.2.2"},               // Spanish
	{"casella * piena", Soft, "5.2.2"},             // Italian
	{"caixa * cheia", Soft, "5.2.2"},               // Portuguese
	{"postbus * vol", Soft, "5.2.2"},               // Dutch
	{"skrzynka * pełna", Soft, "5.2.2"},            // Polish
	{"ящик переполнен", Soft, "5.2.2"},             // Russian
	{"邮箱已满", Soft, "5.2.2"},                        // Chinese

	// The message is too large.
	{"message size exceeds", Soft, "5.3.4"}, // Postfix, Exim
	{"exceeds * size limit", Soft, "5.3.4"}, // Exchange, Sendmail
	{"message too large", Soft, "5.3.4"},    // Gmail
	{"message is too large", Soft, "5.3.4"}, // Exchange
	{"message file too big", Soft, "5.3.4"}, // hMailServer
	{"maximum message size", Soft, "5.3.4"}, // RFC 1870, section 6.1

	// Not now.
	{"greylist", Soft, "4.7.1"},                             // postgrey, milter-greylist
	{"graylist", Soft, "4.7.1"},                             // SmarterMail
	{"at a rate that", Soft, "4.2.1"},                       // Gmail, one mailbox gets too much
	{"retry timeout exceeded", Soft, "4.4.7"},               // Exim
	{"retry time not reached", Soft, "4.4.7"},               // Exim
	{"in the queue too long", Soft, "4.4.7"},                // qmail
	{"queue.expired", Soft, "4.4.7"},                        // Exchange
	{"message expired", Soft, "4.4.7"},                      // Exchange, Amazon
	{"delivery time expired", Soft, "4.4.7"},                // RFC 3463's words, Sun
	{"connection timed out", Soft, "4.4.1"},                 // everybody, errno ETIMEDOUT
	{"operation timed out", Soft, "4.4.1"},                  // likewise, BSD
	{"connection refused", Soft, "4.4.1"},                   // likewise, errno ECONNREFUSED
	{"no route to host", Soft, "4.4.1"},                     // likewise, errno EHOSTUNREACH
	{"network is unreachable", Soft, "4.4.1"},               // likewise, errno ENETUNREACH
	{"able to establish an smtp connection", Soft, "4.4.1"}, // qmail
	{"lost connection", Soft, "4.4.2"},                      // Postfix
	{"timed out while", Soft, "4.4.2"},                      // Postfix
	{"host not found, try again", Soft, "4.4.3"},            // Postfix
	{"temporary lookup failure", Soft, "4.4.3"},             // Postfix
	{"temporary failure", Soft, "4.3.0"},                    // qmail, Dovecot
	{"loops back to myself", Soft, "5.4.6"},                 // Postfix
	{"too many hops", Soft, "5.4.6"},                        // Postfix, Sendmail
	{"hop count exceeded", Soft, "5.4.6"},                   // Exchange
	{"mail loop", Soft, "5.4.6"},                            // qmail
	{"relay access denied", Soft, "5.7.1"},                  // Postfix: their own mail exchanger does not know the domain
	{"relaying denied", Soft, "5.7.1"},                      // Sendmail, likewise
	{"relay not permitted", Soft, "5.7.1"},                  // Exim, likewise
	{"unable to relay", Soft, "5.7.1"},                      // Exchange, likewise

	// There is no such domain.
	{"host or domain name not found", Hard, "5.4.4"},  // Postfix
	{"domain not found", Hard, "5.1.2"},               // Postfix, Gmail
	{"domain does not exist", Hard, "5.1.2"},          // Exchange
	{"couldn't find any host named", Hard, "5.1.2"},   // qmail
	{"couldn't find a mail exchanger", Hard, "5.1.2"}, // qmail
	{"unrouteable", Hard, "5.1.2"},                    // Exim
	{"host unknown", Hard, "5.1.2"},                   // Sendmail
	{"responded with code nxdomain", Hard, "5.1.2"},   // Gmail
	{"point to non-existent hosts", Hard, "5.1.2"},    // Exim
	{"does not accept mail", Hard, "5.1.10"},          // Postfix, null MX (RFC 7505, section 4.2)
	{"nullmx", Hard, "5.1.10"},                        // Postfix, likewise

	// The mailbox is closed.
	{"account * disabled", Hard, "5.2.1"},     // Gmail
	{"account * inactive", Hard, "5.2.1"},     // Gmail
	{"account * suspended", Hard, "5.2.1"},    // cPanel
	{"account * deactivated", Hard, "5.2.1"},  // T-Online
	{"mailbox * disabled", Hard, "5.2.1"},     // Yahoo, Yandex
	{"mailbox * inactive", Hard, "5.2.1"},     // web.de
	{"not accepting messages", Hard, "5.2.1"}, // RFC 3463's words
	{"account closed", Hard, "5.2.1"},         // EarthLink
	{"mailbox * blocked", Hard, "5.2.1"},      // Mail.ru

	// There is no such mailbox.
	{"user unknown", Hard, "5.1.1"},                                  // Postfix, Sendmail, Dovecot
	{"unknown user", Hard, "5.1.1"},                                  // Exim, Cyrus
	{"no such user", Hard, "5.1.1"},                                  // Gmail, Exim, Sendmail
	{"no such recipient", Hard, "5.1.1"},                             // hMailServer
	{"no such mailbox", Hard, "5.1.1"},                               // CommuniGate
	{"no such person", Hard, "5.1.1"},                                // Exim's example configuration
	{"no such address", Hard, "5.1.1"},                               // Fastmail
	{"no mailbox here by that name", Hard, "5.1.1"},                  // qmail
	{"recipient unknown", Hard, "5.1.1"},                             // Lotus Domino
	{"unknown recipient", Hard, "5.1.1"},                             // MDaemon
	{"addressee unknown", Hard, "5.1.1"},                             // Mercury
	{"address unknown", Hard, "5.1.1"},                               // Novell GroupWise
	{"unknown address", Hard, "5.1.1"},                               // Sun, status 5.1.0
	{"unknown mailbox", Hard, "5.1.1"},                               // iCloud
	{"unknown local", Hard, "5.1.1"},                                 // Exim, MMDF
	{"not listed in * directory", Hard, "5.1.1"},                     // Lotus Domino
	{"mailbox unavailable", Hard, "5.1.1"},                           // Outlook.com, status 5.5.0
	{"mailbox not found", Hard, "5.1.1"},                             // Zimbra, Yahoo
	{"mailbox does not exist", Hard, "5.1.1"},                        // Apple
	{"mailbox doesn't exist", Hard, "5.1.1"},                         // Cox
	{"user does not exist", Hard, "5.1.1"},                           // Dovecot, NetEase
	{"user doesn't exist", Hard, "5.1.1"},                            // Dovecot
	{"user not found", Hard, "5.1.1"},                                // Yandex, Mail.ru
	{"recipient does not exist", Hard, "5.1.1"},                      // QQ
	{"recipient not found", Hard, "5.1.1"},                           // Exchange
	{"address does not exist", Hard, "5.1.1"},                        // Rackspace
	{"address doesn't exist", Hard, "5.1.1"},                         // Exchange
	{"tried to reach does not exist", Hard, "5.1.1"},                 // Gmail
	{"doesn't have a * account", Hard, "5.1.1"},                      // Yahoo
	{"address couldn't be found", Hard, "5.1.1"},                     // Gmail
	{"address you entered couldn't be found", Hard, "5.1.1"},         // Exchange
	{"wasn't found at", Hard, "5.1.1"},                               // Exchange Online
	{"recipnotfound", Hard, "5.1.1"},                                 // Exchange, RESOLVER.ADR
	{"recipientnotfound", Hard, "5.1.10"},                            // Exchange Online, RESOLVER.ADR
	{"recipient address rejected: access denied", Hard, "5.4.1"},     // Exchange Online, directory-based edge blocking
	{"undeliverable address", Hard, "5.1.1"},                         // Postfix, address verification
	{"invalid recipient", Hard, "5.1.1"},                             // Cisco, Proofpoint
	{"invalid mailbox", Hard, "5.1.1"},                               // Mail.ru
	{"not a valid mailbox", Hard, "5.1.1"},                           // Lotus Domino
	{"bad destination mailbox address", Hard, "5.1.1"},               // RFC 3463's words
	{"email account that you tried to reach doesn't", Hard, "5.1.1"}, // Gmail
	{"benutzer unbekannt", Hard, "5.1.1"},                            // German
	{"unbekannter benutzer", Hard, "5.1.1"},                          // German
	{"empfänger unbekannt", Hard, "5.1.1"},                           // German
	{"adresse existiert nicht", Hard, "5.1.1"},                       // German
	{"utilisateur inconnu", Hard, "5.1.1"},                           // French
	{"destinataire inconnu", Hard, "5.1.1"},                          // French
	{"adresse * n'existe pas", Hard, "5.1.1"},                        // French
	{"usuario desconocido", Hard, "5.1.1"},                           // Spanish
	{"usuario no existe", Hard, "5.1.1"},                             // Spanish
	{"utente sconosciuto", Hard, "5.1.1"},                            // Italian
	{"destinatario sconosciuto", Hard, "5.1.1"},                      // Italian
	{"usuário desconhecido", Hard, "5.1.1"},                          // Portuguese
	{"usuário não existe", Hard, "5.1.1"},                            // Portuguese
	{"gebruiker onbekend", Hard, "5.1.1"},                            // Dutch
	{"onbekende gebruiker", Hard, "5.1.1"},                           // Dutch
	{"nieznany użytkownik", Hard, "5.1.1"},                           // Polish
	{"пользователь не найден", Hard, "5.1.1"},                        // Russian
	{"нет такого пользователя", Hard, "5.1.1"},                       // Russian
	{"用户不存在", Hard, "5.1.1"},                                         // Chinese
	{"收件人不存在", Hard, "5.1.1"},                                        // Chinese
	{"宛先不明", Hard, "5.1.1"},                                          // Japanese
}

// delays are how a text says that they keep trying; a report in a standard
// format says so by its action.
var delays = []pattern{
	{"this is a warning message only", Delayed, "4.4.7"},   // Sendmail
	{"could not send message for past", Delayed, "4.4.7"},  // Sendmail
	{"not yet been delivered", Delayed, "4.4.7"},           // Exim
	{"not yet been possible to deliver", Delayed, "4.4.7"}, // Exim
	{"delivery attempts will continue", Delayed, "4.4.7"},  // Exim
	{"will keep trying", Delayed, "4.4.7"},                 // Exchange
	{"will retry for", Delayed, "4.4.7"},                   // Gmail
	{"will be retried", Delayed, "4.4.7"},                  // Sun
	{"delivery incomplete", Delayed, "4.4.7"},              // Gmail, the subject
	{"you do not need to resend", Delayed, "4.4.7"},        // Sendmail, Exchange
}

// match finds the first pattern of a table in a text as folded makes it, and
// where it begins; -1: none.
func match(table []pattern, text string) (p pattern, at int) {
	for _, p := range table {
		if at := p.find(text); at >= 0 {
			return p, at
		}
	}
	return pattern{}, -1
}

// maxGap is how far what follows a star may reach, in bytes.
const maxGap = 100

func (p pattern) find(text string) int {
	first, second, star := strings.Cut(p.words, " * ")
	if !star {
		return strings.Index(text, first)
	}
	for from := 0; ; from += len(first) {
		at := strings.Index(text[from:], first)
		if at < 0 {
			return -1
		}
		from += at
		rest := text[from+len(first):]
		if strings.Contains(rest[:min(len(rest), maxGap)], second) {
			return from
		}
	}
}

// squeezed has single spaces and plain apostrophes; folded, like the patterns,
// is in lower case, too.
func squeezed(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "’", "'")
}

func folded(text string) string { return strings.ToLower(squeezed(text)) }
