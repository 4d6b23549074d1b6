package demo

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// A crowd is simulated recipients: they read their mail and act on it by real
// HTTP requests, as mail clients do.
type crowd struct {
	http *http.Client
	dice *rand.Rand // seeded: the same crowd does the same each time
}

// acted is what the crowd did, to be compared with what the report says.
type acted struct {
	opened, clicked, unsubscribed int // people
}

func newCrowd() *crowd {
	return &crowd{
		http: &http.Client{
			Timeout: 10 * time.Second,
			// The shop at the other end of a link is not ours to visit.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		dice: rand.New(rand.NewPCG(2030, 5)),
	}
}

// reads has one person read a message: 6 in 10 open it, 2 in 10 of all click,
// 2 in 100 of all leave with one click. A keen one opens and clicks for sure.
func (c *crowd) reads(ctx context.Context, raw []byte, keen bool, sum *acted) error {
	msg, err := open(raw)
	if err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	opens, clicks, leaves := c.dice.Float64() < 0.6, c.dice.Float64() < 0.2, c.dice.Float64() < 0.02
	opens, clicks = opens || keen, clicks || keen
	if opens && msg.pixel != "" {
		if err := c.get(ctx, msg.pixel, http.StatusOK); err != nil {
			return fmt.Errorf("open: %w", err)
		}
		sum.opened++
	}
	if clicks && len(msg.links) > 0 {
		link := msg.links[c.dice.IntN(len(msg.links))]
		if err := c.get(ctx, link, http.StatusFound); err != nil {
			return fmt.Errorf("click: %w", err)
		}
		sum.clicked++
	}
	if leaves && msg.oneClick {
		if err := c.leave(ctx, msg.unsubscribe); err != nil {
			return fmt.Errorf("unsubscribe: %w", err)
		}
		sum.unsubscribed++
	}
	return nil
}

const mailClient = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0"

func (c *crowd) get(ctx context.Context, url string, want int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", mailClient)
	return c.do(req, want)
}

// leave is the one-click POST of RFC 8058, section 3.2: no cookie, no page.
func (c *crowd) leave(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("List-Unsubscribe=One-Click"))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.do(req, http.StatusOK)
}

func (c *crowd) do(req *http.Request, want int) error {
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if resp.StatusCode != want {
		return fmt.Errorf("%s answered %s, not %d", req.URL.Host, resp.Status, want)
	}
	return nil
}
