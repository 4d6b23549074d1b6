package mailbox

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/cleversender/cleversender/adapters/bounce"
)

// visitIMAP takes the mail that is not marked as read (RFC 9051).
func visitIMAP(ctx context.Context, conn net.Conn, box Box, o Options) error {
	c := imapclient.New(conn, nil)
	defer c.Close()
	if err := c.Login(box.user(), box.pass()).Wait(); err != nil {
		return explain("log in to the mailbox", err)
	}
	if _, err := c.Select(box.folder, nil).Wait(); err != nil {
		return explain("open the mailbox", err)
	}
	found, err := c.UIDSearch(&imap.SearchCriteria{NotFlag: []imap.Flag{imap.FlagSeen, imap.FlagDeleted}}, nil).Wait()
	if err != nil {
		return explain("look for mail", err)
	}
	uids := found.AllUIDs()
	for _, uid := range uids[:min(len(uids), maxMails)] {
		if err := takeIMAP(ctx, c, uid, box, o); err != nil {
			return err
		}
	}
	if err := c.Logout().Wait(); err != nil {
		return explain("log out of the mailbox", err)
	}
	return nil
}

// takeIMAP hands one mail over, and marks it. It is removed at once only where
// the server can remove it alone (UIDPLUS, RFC 4315): other mail that is marked
// as deleted is not ours to remove.
func takeIMAP(ctx context.Context, c *imapclient.Client, uid imap.UID, box Box, o Options) error {
	one := imap.UIDSetNum(uid)
	data, err := fetch(c, one)
	if errors.Is(err, errGone) {
		return nil
	}
	if err != nil {
		return explain("fetch a mail", err)
	}
	if err := o.Handle(ctx, data); err != nil {
		return err
	}
	flags := []imap.Flag{imap.FlagSeen}
	if box.remove {
		flags = append(flags, imap.FlagDeleted)
	}
	if err := c.Store(one, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: flags}, nil).Close(); err != nil {
		return explain("mark a mail", err)
	}
	if box.remove && (c.Caps().Has(imap.CapUIDPlus) || c.Caps().Has(imap.CapIMAP4rev2)) {
		if err := c.UIDExpunge(one).Close(); err != nil {
			return explain("delete a mail", err)
		}
	}
	return nil
}

// errGone: somebody else removed the mail.
var errGone = errors.New("the mail is gone")

// fetch gets the beginning of a mail, and does not mark it.
func fetch(c *imapclient.Client, one imap.UIDSet) (data []byte, err error) {
	section := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Size: bounce.MaxBytes}}
	command := c.Fetch(one, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{section}})
	err = errGone
	for message := command.Next(); message != nil; message = command.Next() {
		for item := message.Next(); item != nil; item = message.Next() {
			if body, ok := item.(imapclient.FetchItemDataBodySection); ok && body.Literal != nil {
				data, err = io.ReadAll(io.LimitReader(body.Literal, bounce.MaxBytes))
			}
		}
	}
	if failed := command.Close(); failed != nil {
		return nil, failed
	}
	return data, err
}
