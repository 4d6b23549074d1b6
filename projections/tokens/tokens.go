// Package tokens answers for whom a bearer token acts.
package tokens

import (
	"strings"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

var accounts = &projections.Table{
	Name:   "accounts",
	Key:    []projections.Column{{Name: "account", Kind: projections.Bytes}},
	Values: []projections.Column{{Name: "name", Kind: projections.Text}, {Name: "created", Kind: projections.Int}},
}

var tokens = &projections.Table{
	Name: "tokens",
	Key:  []projections.Column{{Name: "account", Kind: projections.Bytes}, {Name: "token", Kind: projections.Bytes}},
	Values: []projections.Column{
		{Name: "hash", Kind: projections.Text},
		{Name: "label", Kind: projections.Text},
		{Name: "scopes", Kind: projections.Text}, // with commas between
		{Name: "issued", Kind: projections.Int},
		{Name: "revoked", Kind: projections.Int},
	},
}

var hashes = &projections.Table{
	Name:   "hashes",
	Key:    []projections.Column{{Name: "hash", Kind: projections.Text}},
	Values: []projections.Column{{Name: "account", Kind: projections.Bytes}, {Name: "token", Kind: projections.Bytes}},
}

// Projection is to be hosted.
var Projection = projections.Projection{
	Name: "tokens", Version: 1,
	Types:  []string{"account.created", "account.token_issued", "account.token_revoked"},
	Tables: []*projections.Table{accounts, tokens, hashes},
	Fold: func(rows projections.Rows, events []event.Recorded) error {
		for _, e := range events {
			if err := apply(rows, e); err != nil {
				return err
			}
		}
		return nil
	},
}

func apply(rows projections.Rows, e event.Recorded) error {
	id := e.Meta.Account
	switch data := e.Data.(type) {
	case account.Created:
		return rows.Put(accounts, projections.Row{id[:], data.Name, projections.Micros(e.At)})
	case account.TokenIssued:
		if err := rows.Put(hashes, projections.Row{data.Hash, id[:], data.Token[:]}); err != nil {
			return err
		}
		t := Token{Account: id, ID: data.Token, Hash: data.Hash, Label: data.Label, Scopes: data.Scopes, IssuedAt: e.At}
		return rows.Put(tokens, t.row())
	case account.TokenRevoked:
		row, err := rows.Get(tokens, id[:], data.Token[:])
		if err != nil || row == nil {
			return err
		}
		t := read(row)
		t.RevokedAt = e.At
		return rows.Put(tokens, t.row())
	}
	return nil
}

func (t *Token) row() projections.Row {
	scopes := make([]string, len(t.Scopes))
	for i, s := range t.Scopes {
		scopes[i] = string(s)
	}
	return projections.Row{
		t.Account[:], t.ID[:], t.Hash, t.Label, strings.Join(scopes, ","),
		projections.Micros(t.IssuedAt), projections.Micros(t.RevokedAt),
	}
}

func read(r projections.Row) Token {
	t := Token{Account: r.ID(0), ID: r.ID(1), Hash: r.Text(2), Label: r.Text(3), IssuedAt: r.Time(5), RevokedAt: r.Time(6)}
	if text := r.Text(4); text != "" {
		for s := range strings.SplitSeq(text, ",") {
			t.Scopes = append(t.Scopes, account.Scope(s))
		}
	}
	return t
}

func readAccount(r projections.Row) Account {
	return Account{ID: domain.ID(r.Bytes(0)), Name: r.Text(1), CreatedAt: r.Time(2)}
}
