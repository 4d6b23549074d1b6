package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// Problem is an error as the API tells it (RFC 9457). Code is stable; Detail is
// for people. It never repeats a value that was sent.
type Problem struct {
	Type   string          `json:"type,omitempty" doc:"always about:blank: the code tells problems apart"`
	Title  string          `json:"title"`
	Status int             `json:"status"`
	Detail string          `json:"detail,omitempty"`
	Code   string          `json:"code" doc:"stable, snake_case"`
	Errors []ProblemDetail `json:"errors,omitempty"`
}

// ProblemDetail says where in the request something is wrong.
type ProblemDetail struct {
	Message  string `json:"message"`
	Location string `json:"location,omitempty" doc:"such as body.lists[0] or query.limit"`
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// The library asks for its errors by this variable; there is no other way in.
func init() { huma.NewError = newProblem }

// newProblem is what the library's own refusals become.
func newProblem(status int, msg string, errs ...error) huma.StatusError {
	p := problem(status, codeOfStatus(status), msg)
	for _, err := range errs {
		var inner *Problem
		var detail huma.ErrorDetailer
		switch {
		case err == nil:
		case errors.As(err, &inner):
			return inner
		case errors.As(err, &detail):
			d := detail.ErrorDetail()
			p.Errors = append(p.Errors, ProblemDetail{Message: withoutValue(d.Message), Location: d.Location})
		}
	}
	return p
}

// withoutValue cuts what the JSON decoder quotes of its input.
func withoutValue(msg string) string {
	if strings.Contains(msg, "invalid character") {
		return "not the JSON that is expected here"
	}
	return msg
}

func problem(status int, code, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code}
}

func codeOfStatus(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "bad_request"
	case http.StatusUnauthorized:
		return "unauthenticated"
	case http.StatusForbidden:
		return "forbidden"
	case http.StatusRequestEntityTooLarge:
		return "body_too_large"
	case http.StatusUnsupportedMediaType:
		return "unsupported_media_type"
	case http.StatusNotAcceptable:
		return "not_acceptable"
	case http.StatusRequestTimeout:
		return "request_timeout"
	case http.StatusUnprocessableEntity:
		return "validation_failed"
	default:
		return "internal_error"
	}
}

// conflicts are refusals that depend on what else is there, not on the request alone.
var conflicts = map[string]bool{
	"already_exists": true, "idempotency_key_reused": true, "address_taken": true,
	"address_suppressed": true, "subject_erased": true, "list_archived": true,
	"dkim_key_retired": true,
}

// statusOf maps a refusal's code to a status.
func statusOf(code string) int {
	switch {
	case code == "not_found":
		return http.StatusNotFound
	case code == "unauthenticated":
		return http.StatusUnauthorized
	case code == "forbidden":
		return http.StatusForbidden
	case code == "append_too_large":
		return http.StatusRequestEntityTooLarge
	case conflicts[code], strings.HasSuffix(code, "_conflict"),
		strings.HasPrefix(code, "already_"), strings.HasPrefix(code, "not_") && code != "not_rendered",
		strings.HasPrefix(code, "campaign_"), strings.HasPrefix(code, "message_"):
		return http.StatusConflict
	default:
		return http.StatusUnprocessableEntity
	}
}

// toProblem makes an answer of any error. Faults are logged here and nowhere else.
func toProblem(ctx context.Context, log *slog.Logger, operation string, err error) *Problem {
	var p *Problem
	var refusal domain.Refusal
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &refusal):
		return problem(statusOf(refusal.Code), refusal.Code, refusal.Reason)
	case errors.Is(err, domain.ErrConflict):
		return problem(http.StatusConflict, "conflict", "somebody else changed this at the same time; try again")
	case errors.Is(err, event.ErrNewer):
		return problem(http.StatusServiceUnavailable, event.Outdated, "a newer version of the software wrote what this is about: ask a node that has been upgraded")
	case ctx.Err() != nil:
		return problem(http.StatusServiceUnavailable, "interrupted", "the request was interrupted")
	}
	log.ErrorContext(ctx, "request failed", "operation", operation, "error", err)
	return problem(http.StatusInternalServerError, "internal_error", "internal error")
}
