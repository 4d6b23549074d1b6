package preflight_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/cleversender/cleversender/adapters/preflight"
)

// serve answers DNS queries out of a zone, over UDP, until the test ends; a name
// in lost is answered by a failure of the server (RFC 1035, section 4.1.1).
func serve(t *testing.T, z *zone) *net.Resolver {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		query := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(query)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(query[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			if reply, err := z.reply(m); err == nil {
				_, _ = conn.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (z *zone) reply(m dnsmessage.Message) ([]byte, error) {
	q := m.Questions[0]
	name := strings.TrimSuffix(q.Name.String(), ".")
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	var body dnsmessage.ResourceBody
	switch {
	case z.lost[name]:
		m.RCode = dnsmessage.RCodeServerFailure
	case name == "" && q.Type == dnsmessage.TypeNS:
		body = &dnsmessage.NSResource{NS: dnsmessage.MustNewName("a.root-servers.net.")}
	case q.Type == dnsmessage.TypeTXT && len(z.texts[name]) > 0:
		body = &dnsmessage.TXTResource{TXT: []string{z.texts[name][0][:5], z.texts[name][0][5:]}}
	case q.Type == dnsmessage.TypeMX && z.mx[name] != "":
		body = &dnsmessage.MXResource{MX: dnsmessage.MustNewName(z.mx[name])}
	case len(z.texts[name]) == 0 && z.mx[name] == "":
		m.RCode = dnsmessage.RCodeNameError
	}
	if body != nil {
		m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60}, Body: body}}
	}
	return m.Pack()
}

// The resolver that the program uses, and a DNS server on the wire: what is
// there is found, what is not blocks, and what fails does not.
func TestOnTheWire(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*world)
		code  string
		level preflight.Level
	}{
		"all is there":          {func(*world) {}, "dmarc_reject", preflight.OK},
		"no such key":           {key(), "dkim_record_missing", preflight.Warn},
		"a null MX":             {func(w *world) { w.settings.ReplyTo, w.zone.mx["help.se"] = "a@help.se", "." }, "replies_bounce", preflight.Warn},
		"no such domain":        {func(w *world) { w.settings.FromEmail = "a@gone.se" }, "from_domain_missing", preflight.Block},
		"a server that fails":   {func(w *world) { w.settings.FromEmail, w.zone.lost["gone.se"] = "a@gone.se", true }, "from_domain_missing", preflight.Unchecked},
		"a server without root": {func(w *world) { w.settings.FromEmail, w.zone.lost[""] = "a@gone.se", true }, "from_domain_missing", preflight.Unchecked},
	} {
		w := newWorld()
		c.spoil(w)
		w.resolver = serve(t, w.zone)
		if got := w.check(t, false)[c.code]; got.Level != c.level {
			t.Errorf("%s: %+v, want %s", name, got, c.level)
		}
	}
}
