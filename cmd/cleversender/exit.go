package main

import (
	"errors"
	"net/http"

	"github.com/cleversender/cleversender/cmd/cleversender/client"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// Exit codes are API: scripts depend on them.
const (
	exitOK       = 0
	exitFault    = 1 // something is broken: disk, network, a bug
	exitUsage    = 2 // the command line is wrong
	exitRefused  = 3 // a rule said no; the code says which
	exitNotFound = 4 // there is no such thing in this account
	exitBusy     = 5 // the data folder is in use, or the server cannot be reached
	exitDenied   = 6 // the token is missing, wrong, or not allowed to do this
)

// exitCode maps what went wrong to how the process ends.
func exitCode(err error) int {
	var problem *client.Problem
	var refusal domain.Refusal
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &problem):
		return exitOfStatus(problem.Status)
	case errors.As(err, &refusal) && refusal.Code == "folder_in_use", errors.Is(err, client.ErrUnreachable):
		return exitBusy
	case errors.As(err, &refusal) && refusal.Code == "not_found":
		return exitNotFound
	case errors.As(err, &refusal), errors.Is(err, event.ErrNewer):
		return exitRefused
	default:
		return exitFault
	}
}

func exitOfStatus(status int) int {
	switch {
	case status == http.StatusNotFound:
		return exitNotFound
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return exitDenied
	case status >= 500:
		return exitFault
	default:
		return exitRefused
	}
}

// codeOf is the stable code of an error, for --json.
func codeOf(err error) string {
	var problem *client.Problem
	var refusal domain.Refusal
	switch {
	case errors.As(err, &problem):
		return problem.Code
	case errors.As(err, &refusal):
		return refusal.Code
	case errors.Is(err, event.ErrNewer):
		return event.Outdated
	default:
		return "fault"
	}
}
