package mailbox

import (
	"context"
	"net"

	pop3 "github.com/knadh/go-pop3"

	"github.com/cleversender/cleversender/adapters/bounce"
)

// maxMail is the largest mail that is taken by POP3, which has no way to ask
// for a mail's first bytes; a larger one is no bounce, and stays.
const maxMail = 32 << 20

// visitPOP3 takes all mail (RFC 1939). The server deletes what was taken when
// the visit ends well, or with an error of Handle's; else all of it stays.
func visitPOP3(ctx context.Context, conn net.Conn, box Box, o Options) error {
	c, err := pop3.New(pop3.Opt{Dialer: connected{conn}}).NewConn()
	if err != nil {
		return explain("be greeted by the mail server", err)
	}
	if err := c.Auth(box.user(), box.pass()); err != nil {
		return explain("log in to the mailbox", err)
	}
	list, err := c.List(0)
	if err != nil {
		return explain("look for mail", err)
	}
	for _, one := range list[:min(len(list), maxMails)] {
		if one.Size > maxMail {
			o.Logger.Warn("a mail is too large to be a bounce, and stays in the mailbox", "bytes", one.Size)
			continue
		}
		data, err := c.RetrRaw(one.ID)
		if err != nil {
			return explain("fetch a mail", err)
		}
		if err := o.Handle(ctx, data.Next(bounce.MaxBytes)); err != nil {
			_ = c.Quit() // what was taken before it is not to come again
			return err
		}
		if err := c.Dele(one.ID); err != nil {
			return explain("delete a mail", err)
		}
	}
	if err := c.Quit(); err != nil {
		return explain("log out of the mailbox", err)
	}
	return nil
}

// connected is a dialer that has dialed.
type connected struct{ net.Conn }

func (c connected) Dial(string, string) (net.Conn, error) { return c.Conn, nil }
