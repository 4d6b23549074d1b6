// Package webhook hears from providers of mail what became of messages.
//
// A request whose signature or password is wrong is refused, yields nothing,
// and nothing of it is logged. A report that could not be handled makes the
// answer 503, so that the provider sends all of the request again: Handle
// sees some reports twice, with the same ID, and none is lost. Requests older
// than the day for which providers try again are refused as replays.
//
// A provider gives its messages ids of its own, so each has to be told to give
// ours back, in Report.MessageID:
//
//   - Amazon SES: "include original headers" for the topic, or event publishing,
//     which always does. Report.Paths holds the envelope sender besides.
//   - SendGrid: nothing; it calls the Message-ID smtp-id.
//   - Postmark: the message carries the id in X-PM-Metadata-message_id, or the
//     webhook includes the bounce's content and the message X-PM-KeepID: true.
package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/adapters/bounce"
)

// Options is what every provider's handler needs.
type Options struct {
	Handle func(context.Context, bounce.Report) error
	Logger *slog.Logger     // nil: none
	Now    func() time.Time // nil: time.Now
}

// Limits of a request.
const (
	maxBody = 2 << 20
	maxAge  = 26 * time.Hour // providers try again for a day
	maxSkew = 10 * time.Minute
)

var (
	errForged = errors.New("the signature is not valid")
	errOld    = errors.New("the request is too old, or from the future")
	errBad    = errors.New("the request cannot be read")
)

// provider checks a request and returns what it reports.
type provider func(r *http.Request, body []byte, now time.Time) ([]bounce.Report, error)

func (o Options) handler(source bounce.Source, read provider) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	log := o.Logger.With("source", string(source))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "POST only", http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, "too large, or cut off", http.StatusRequestEntityTooLarge)
			return
		}
		reports, err := read(r, body, o.Now())
		if err != nil {
			log.Warn("a webhook was refused", "reason", err)
			refuse(w, err)
			return
		}
		for _, report := range reports {
			if err := o.Handle(r.Context(), report); err != nil {
				log.Error("a webhook's report was not recorded; it will come again", "error", err)
				http.Error(w, "not recorded, try again", http.StatusServiceUnavailable)
				return
			}
		}
	})
}

func refuse(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, errPassword):
		w.Header().Set("WWW-Authenticate", `Basic realm="webhook"`)
		http.Error(w, err.Error(), http.StatusUnauthorized)
	case errors.Is(err, errForged), errors.Is(err, errOld):
		http.Error(w, err.Error(), http.StatusForbidden)
	case errors.Is(err, errBad):
		http.Error(w, err.Error(), http.StatusBadRequest)
	default: // ours: a certificate that could not be had
		http.Error(w, "try again", http.StatusServiceUnavailable)
	}
}

// fresh refuses what is too old to be a retry.
func fresh(at, now time.Time) error {
	if at.Before(now.Add(-maxAge)) || at.After(now.Add(maxSkew)) {
		return errOld
	}
	return nil
}

// decode reads JSON. A field of another type than it was is left empty, rather
// than all of a request lost.
func decode(text []byte, into any) error {
	err := json.Unmarshal(text, into)
	if field := (*json.UnmarshalTypeError)(nil); err != nil && !errors.As(err, &field) {
		return errBad
	}
	return nil
}
