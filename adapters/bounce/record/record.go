// Package record makes events of what is reported about messages.
//
// A report is obeyed when it carries a return path or a Message-ID whose MAC is
// ours, and the message that these name went to somebody. Everything else is
// counted, and changes nothing. Mail that comes in and requests of providers
// are acknowledged when the report is durable:
//
//	step               failed, not done                failed, but done
//	find the person    not acknowledged: comes again   -
//	record the report  not acknowledged: comes again   comes again, and is known already
//	acknowledge        comes again, known already      -
//
// A server's own refusal is read from the log by Run, which keeps how far it has
// come once the reports of a page are durable: after a crash some are made
// again, and are known already. Of several nodes one does so at a time; one that
// was paused, and is no longer the one, makes reports that are known already.
package record

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	report "github.com/cleversender/cleversender/adapters/bounce"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/bounce"
)

// Options are what a recorder needs.
type Options struct {
	Journal Journal
	Cursor  Cursor
	Signer  Signer
	// NoOrdinal is the ordinal of messages outside every campaign, whose id
	// stands in the place of a campaign's.
	NoOrdinal int
	Domain    string        // of our return paths; "": there are none
	Policy    bounce.Policy // zero: bounce.DefaultPolicy
	Now       func() time.Time
	Logger    *slog.Logger          // nil: none
	Metrics   prometheus.Registerer // nil: none
}

// Signer reads what messages carry; *tracking.Signer is one.
type Signer interface {
	ParseBounce(local string) (campaign domain.ID, ordinal int, err error)
	ParseMessageID(local string) (campaign domain.ID, ordinal int, err error)
}

// Recorder may be used by many goroutines.
type Recorder struct {
	o     Options
	total *prometheus.CounterVec
}

// New makes a recorder. It follows nothing before Run.
func New(o Options) *Recorder {
	if o.Policy == (bounce.Policy{}) {
		o.Policy = bounce.DefaultPolicy
	}
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	r := &Recorder{o: o, total: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "cleversender_bounces_total",
		Help: "Reports of bounces and complaints. Forged: a return path that is not ours; unknown: it leads to no message; ignored: nothing new, or nothing that counts.",
	}, []string{"source", "kind", "result"})}
	if o.Metrics != nil {
		o.Metrics.MustRegister(r.total)
	}
	return r
}

// A result is what came of a report. Names are API, as values of a metric's label.
type result string

const (
	recorded result = "recorded"
	forged   result = "forged"
	unknown  result = "unknown"
	ignored  result = "ignored"
)

// Mail records what a mail reports that came to envelopeTo, which is "" when
// that is not known. An error means that it has to come again.
func (r *Recorder) Mail(ctx context.Context, source bounce.Source, envelopeTo string, data []byte) error {
	found, err := report.Parse(envelopeTo, data)
	if err != nil { // no mail at all: it would not be another time
		r.count(source, report.Unknown, ignored)
		return nil
	}
	return r.Report(ctx, source, found)
}

// Report records a report. An error means that it has to come again.
func (r *Recorder) Report(ctx context.Context, source bounce.Source, found report.Report) error {
	id, ordinal, verdict := r.trace(found)
	if verdict == recorded && !counts(found.Kind) {
		verdict = ignored
	}
	if verdict != recorded {
		r.count(source, found.Kind, verdict)
		return nil
	}
	to, known, err := r.addressee(ctx, id, ordinal)
	if err != nil {
		return err
	}
	if !known {
		r.count(source, found.Kind, unknown)
		return nil
	}
	request := id.Derive("report/" + string(source) + "/" + strconv.Itoa(ordinal) + "/" + found.ID)
	return r.record(ctx, request, to, source, found, r.o.Now())
}

// counts reports whether a kind is recorded.
func counts(k report.Kind) bool { return k == report.Complaint || bounce.Kind(k).Known() }

// record has a command decide; at is when the report was made.
func (r *Recorder) record(ctx context.Context, request domain.ID, to addressee, source bounce.Source, found report.Report, at time.Time) error {
	req := commands.Request{ID: request, Account: to.account}
	at = at.UTC().Truncate(time.Microsecond)
	var done commands.Done
	var err error
	if found.Kind == report.Complaint {
		done, err = commands.Handle(ctx, r.o.Journal, req, commands.RecordComplaint{
			Person: to.person, Letter: to.letter, Feedback: match(feedback, found.Feedback), Source: source, At: at,
		})
	} else {
		done, err = commands.Handle(ctx, r.o.Journal, req, commands.RecordBounce{
			Person: to.person, Letter: to.letter, Kind: bounce.Kind(found.Kind), Status: match(status, found.Status), Source: source,
			At: at, Diagnostic: found.Diagnostic, Policy: r.o.Policy,
		})
	}
	var refusal domain.Refusal
	switch {
	case errors.As(err, &refusal): // erased, most likely: it would not be otherwise another time
		r.o.Logger.Info("a report was not recorded", "source", source, "kind", found.Kind, "code", refusal.Code)
		r.count(source, found.Kind, ignored)
	case err != nil:
		return err
	case done.Events == 0:
		r.count(source, found.Kind, ignored)
	default:
		r.count(source, found.Kind, recorded)
	}
	return nil
}

// Words of protocols, as they are stored in the clear: whatever else somebody
// writes in their place is left out.
var (
	status   = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}$`) // RFC 3463, section 2
	feedback = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)         // RFC 5965, section 7.3
)

func match(words *regexp.Regexp, s string) string {
	if s = strings.ToLower(strings.TrimSpace(s)); words.MatchString(s) {
		return s
	}
	return ""
}

// count counts a report, and says of one that was not obeyed that it was not.
func (r *Recorder) count(source bounce.Source, kind report.Kind, of result) {
	r.total.WithLabelValues(string(source), string(kind), string(of)).Inc()
	if of == forged || of == unknown {
		r.o.Logger.Warn("a report was not obeyed", "source", source, "kind", kind, "result", of)
	}
}
