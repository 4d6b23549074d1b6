// Package client talks to the HTTP API: over the network, or to a handler in
// the same process when no server runs.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// ErrUnreachable: no server answers at the address.
var ErrUnreachable = errors.New("no server answers")

// Problem is an error of the API (RFC 9457) with its stable code.
type Problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Errors []struct {
		Message  string `json:"message"`
		Location string `json:"location"`
	} `json:"errors"`
}

func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	for _, e := range p.Errors {
		text += fmt.Sprintf("; %s: %s", e.Location, e.Message)
	}
	if p.Code != "" {
		text += " (" + p.Code + ")"
	}
	return text
}

// Client calls the API with one token.
type Client struct {
	base  *url.URL
	token string
	http  *http.Client
}

// Dial makes a client of a server, such as http://127.0.0.1:8080.
func Dial(server, token string) (*Client, error) {
	base, err := url.Parse(strings.TrimSuffix(server, "/"))
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("the server %q is not an http(s) address", server)
	}
	return &Client{base, token, &http.Client{}}, nil
}

// Local makes a client of a handler in this process.
func Local(h http.Handler, token string) *Client {
	return &Client{&url.URL{Scheme: "http", Host: "local"}, token, &http.Client{Transport: inProcess{h}}}
}

// Call sends in as JSON (nil: no body) and decodes the answer into out (nil:
// ignored). Path and query are relative to /api/v1.
func (c *Client) Call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	resp, err := c.Do(ctx, method, path, "application/json", body, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("decode answer of %s: %w", path, err)
	}
	return nil
}

// Do sends a body as it is and returns the answer of a call that succeeded;
// the caller closes its body. Anything else is a *Problem or ErrUnreachable.
func (c *Client) Do(ctx context.Context, method, path, contentType string, body io.Reader, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base.String()+"/api/v1"+path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	return c.answer(req)
}

// Ready returns nil when the server does its whole job.
func (c *Client) Ready(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base.String()+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := c.answer(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// answer is the answer of a request that succeeded.
func (c *Client) answer(req *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx := req.Context(); ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w at %s: %w", ErrUnreachable, c.base.Host, err)
	}
	if resp.StatusCode < 400 {
		return resp, nil
	}
	defer resp.Body.Close()
	problem := &Problem{Status: resp.StatusCode, Title: resp.Status}
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	_ = json.Unmarshal(raw, problem) // a body that is no problem leaves the status line
	return nil, problem
}
