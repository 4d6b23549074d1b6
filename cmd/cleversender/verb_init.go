package main

import (
	"fmt"
	"io"

	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/domain"
)

type initVerb struct {
	Account string `help:"Name of the first account." default:"My account"`
}

// Run makes the folder; the token is shown this once.
func (v initVerb) Run(s *session) error {
	id, token, err := engine.Init(s.ctx, s.options(nil), v.Account)
	if err != nil {
		return err
	}
	made := struct {
		Data    string    `json:"data"`
		Account domain.ID `json:"account"`
		Token   string    `json:"token"`
	}{s.globals.Data, id, token}
	return s.print(made, func(w io.Writer) {
		fmt.Fprintf(w, "Data folder  %s\nAccount      %s\nToken        %s\n\n", made.Data, made.Account, made.Token)
		fmt.Fprintln(w, "The token is shown this once. The key in root.key opens everything: keep a copy of it elsewhere.")
	})
}
