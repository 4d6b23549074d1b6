package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/domain/bounce"
)

// bounceFlags say how we hear of bounces and complaints, and what follows.
type bounceFlags struct {
	BounceDomain  string      `help:"Domain that bounces come back to, each by an address of its own. Without it, they go to the sender's address." env:"CLEVERSENDER_BOUNCE_DOMAIN"`
	BounceListen  string      `help:"Address of the SMTP server that takes mail to the bounce domain, such as :25." env:"CLEVERSENDER_BOUNCE_LISTEN"`
	BounceCert    string      `help:"Certificate chain of that server, in PEM, for STARTTLS; read again for each client." placeholder:"FILE" env:"CLEVERSENDER_BOUNCE_CERT"`
	BounceCertKey string      `help:"Key of that certificate, in PEM." placeholder:"FILE" env:"CLEVERSENDER_BOUNCE_CERT_KEY"`
	BounceMailbox string      `help:"Mailbox that bounces are fetched from: imaps://user:password@host/folder, pop3s://user:password@host. The password may be in a file: ?password_file=/path." env:"CLEVERSENDER_BOUNCE_MAILBOX"`
	SoftBounces   softBounces `help:"How many messages have to bounce softly, within how long, until the address is suppressed." default:"3/720h" placeholder:"N/TIME"`
	HookSESTopic  []string    `help:"ARN of an SNS topic that Amazon SES reports to; /hooks/ses hears it." name:"hook-ses-topic" env:"CLEVERSENDER_HOOK_SES_TOPIC" placeholder:"ARN"`
	HookSendgrid  string      `help:"Verification key of SendGrid's signed events; /hooks/sendgrid hears them." name:"hook-sendgrid-key" env:"CLEVERSENDER_HOOK_SENDGRID_KEY" placeholder:"KEY"`
	HookPostmark  string      `help:"User and password that Postmark calls /hooks/postmark with." name:"hook-postmark" env:"CLEVERSENDER_HOOK_POSTMARK" placeholder:"USER:PASSWORD"`
}

func (f bounceFlags) apply(o *engine.Options) {
	o.BounceDomain = f.BounceDomain
	o.Bounces = engine.Bounces{
		Policy: bounce.Policy(f.SoftBounces), Listen: f.BounceListen, Certificate: engine.Certificate{Chain: f.BounceCert, Key: f.BounceCertKey},
		Mailbox: f.BounceMailbox, SESTopics: f.HookSESTopic, SendGridKey: f.HookSendgrid, Postmark: f.HookPostmark,
	}
}

// softBounces is a policy, such as 3/720h.
type softBounces bounce.Policy

var errSoftBounces = errors.New("soft bounces are given as a number and a time, such as 3/720h")

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *softBounces) UnmarshalText(text []byte) error {
	count, within, _ := strings.Cut(string(text), "/")
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 {
		return errSoftBounces
	}
	d, err := time.ParseDuration(within)
	if err != nil || d <= 0 {
		return errSoftBounces
	}
	*s = softBounces{n, d}
	return nil
}
