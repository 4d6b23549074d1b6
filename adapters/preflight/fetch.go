package preflight

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"code.dny.dev/ssrf"
	"golang.org/x/sync/errgroup"
)

const (
	fetches   = 50 // links at most
	atOnce    = 4
	eachFetch = 5 * time.Second
)

// Guarded is a client that reaches public addresses at ports 80 and 443 only,
// wherever a link, or a redirection, leads.
func Guarded() *http.Client {
	dialer := &net.Dialer{Timeout: eachFetch, Control: ssrf.New().Safe}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: eachFetch, ResponseHeaderTimeout: eachFetch,
			DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
		},
		Timeout: eachFetch,
	}
}

// fetch asks for the links that are written out in the template. One that is
// made for each recipient says who they are, and is not asked for.
func (c *Checker) fetch(ctx context.Context, f *facts) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	var targets []string
	for _, l := range f.sample.links.all {
		if l.wrong == "" && strings.HasPrefix(strings.ToLower(strings.TrimSpace(l.written)), "http") {
			targets = append(targets, strings.TrimSpace(l.written))
		}
	}
	slices.Sort(targets)
	targets = slices.Compact(targets)
	targets = targets[:min(len(targets), fetches)]
	why := make([]string, len(targets))
	var all errgroup.Group
	all.SetLimit(atOnce)
	for i, t := range targets {
		all.Go(func() error {
			why[i] = c.dead(ctx, t)
			return nil
		})
	}
	_ = all.Wait()
	for i, t := range targets {
		if why[i] != "" {
			f.dead = append(f.dead, clip(t, 200)+": "+why[i])
		}
	}
}

// dead says what is wrong with a page; "": nothing, as far as can be told. Some
// servers know no HEAD, or turn robots away: that is no sign of anything.
func (c *Checker) dead(ctx context.Context, target string) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, target, nil)
	if err != nil {
		return "it cannot be read"
	}
	req.Header.Set("User-Agent", "CleverSender-Preflight")
	resp, err := c.deps.Client.Do(req)
	if err != nil {
		return "no answer"
	}
	_ = resp.Body.Close()
	switch s := resp.StatusCode; {
	case s == http.StatusNotFound, s == http.StatusGone, s >= 500 && s != http.StatusNotImplemented && s != http.StatusServiceUnavailable:
		return "it answers " + strconv.Itoa(s)
	}
	return ""
}
