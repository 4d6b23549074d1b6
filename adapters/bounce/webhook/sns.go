package webhook

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

// notification is what Amazon SNS sends.
type notification struct {
	Type, MessageId, Token, TopicArn, Subject, Message, SubscribeURL, Timestamp string
	SignatureVersion, Signature, SigningCertURL                                 string
}

// signed is the text that SNS signs: names and values, a line each, by name.
func (n notification) signed() string {
	fields := []string{"Message", n.Message, "MessageId", n.MessageId}
	switch {
	case n.Type != "Notification":
		fields = append(fields, "SubscribeURL", n.SubscribeURL, "Timestamp", n.Timestamp, "Token", n.Token)
	case n.Subject != "":
		fields = append(fields, "Subject", n.Subject, "Timestamp", n.Timestamp)
	default:
		fields = append(fields, "Timestamp", n.Timestamp)
	}
	return strings.Join(append(fields, "TopicArn", n.TopicArn, "Type", n.Type), "\n") + "\n"
}

// topics checks notifications of certain topics. Anybody can have Amazon sign
// a notification of a topic of their own: only ours count, and nothing is
// fetched for others, nor from anywhere but the topic's own region.
type topics struct {
	hosts map[string]string // the topic's ARN to the only host that it may send us to
	fetch Fetch
	mu    sync.Mutex
	certs map[string]*x509.Certificate
}

// Fetch gets a document by https, without following redirects.
type Fetch func(ctx context.Context, url string) ([]byte, error)

func newTopics(arns []string, fetch Fetch) (*topics, error) {
	t := &topics{hosts: map[string]string{}, fetch: fetch, certs: map[string]*x509.Certificate{}}
	for _, arn := range arns { // arn:aws:sns:REGION:ACCOUNT:NAME
		part := strings.Split(arn, ":")
		if len(part) != 6 || part[0] != "arn" || part[2] != "sns" || part[3] == "" || strings.Trim(part[3], "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return nil, fmt.Errorf("%q is not the ARN of an SNS topic", arn)
		}
		t.hosts[arn] = "sns." + part[3] + ".amazonaws.com"
		if part[1] == "aws-cn" {
			t.hosts[arn] += ".cn"
		}
	}
	if len(t.hosts) == 0 {
		return nil, errors.New("no SNS topic is given")
	}
	return t, nil
}

// certPath is where SNS keeps its certificates. It is this strict because the
// host answers requests, too, and could be asked to repeat somebody's words.
var certPath = regexp.MustCompile(`^/SimpleNotificationService-[0-9a-f]+\.pem$`)

// read checks a notification's topic, age and signature.
func (t *topics) read(ctx context.Context, body []byte, now time.Time) (notification, error) {
	var n notification
	if err := decode(body, &n); err != nil {
		return n, err
	}
	host, ours := t.hosts[n.TopicArn]
	path := strings.TrimPrefix(n.SigningCertURL, "https://"+host)
	if !ours || !certPath.MatchString(path) {
		return n, errForged
	}
	sent, err := time.Parse(time.RFC3339, n.Timestamp)
	if err != nil {
		return n, errBad
	}
	if err := fresh(sent, now); err != nil {
		return n, err
	}
	signature, err := base64.StdEncoding.DecodeString(n.Signature)
	if err != nil {
		return n, errForged
	}
	cert, err := t.certificate(ctx, n.SigningCertURL)
	if err != nil {
		return n, err
	}
	key, isRSA := cert.PublicKey.(*rsa.PublicKey)
	if !isRSA || now.Before(cert.NotBefore) || now.After(cert.NotAfter) || !n.signedBy(key, signature) {
		return n, errForged
	}
	return n, nil
}

func (n notification) signedBy(key *rsa.PublicKey, signature []byte) bool {
	switch n.SignatureVersion {
	case "1":
		sum := sha1.Sum([]byte(n.signed())) // what version 1 is; a second preimage is still out of reach
		return rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature) == nil
	case "2":
		sum := sha256.Sum256([]byte(n.signed()))
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
	default:
		return false
	}
}

// maxCerts bounds how many certificates are kept; a region has one at a time.
const maxCerts = 100

// certificate returns the certificate at an address that was found good. One
// is fetched at a time.
func (t *topics) certificate(ctx context.Context, url string) (*x509.Certificate, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if cert := t.certs[url]; cert != nil {
		return cert, nil
	}
	text, err := t.fetch(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("fetch the certificate of a signature: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errForged
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, errForged
	}
	if len(t.certs) >= maxCerts {
		clear(t.certs)
	}
	t.certs[url] = cert
	return cert, nil
}

// confirm answers a subscription's question whether we want it.
func (t *topics) confirm(ctx context.Context, n notification) error {
	if !at(t.hosts[n.TopicArn], n.SubscribeURL) {
		return errForged
	}
	if _, err := t.fetch(ctx, n.SubscribeURL); err != nil {
		return fmt.Errorf("confirm a subscription: %w", err)
	}
	return nil
}

// at reports whether an address is https on exactly that host, at the usual port.
func at(host, address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host == host && u.User == nil && u.Opaque == ""
}

// FetchHTTPS is the Fetch of production. Its errors hold no address.
func FetchHTTPS(ctx context.Context, address string) ([]byte, error) {
	client := http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("not an address")
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, errors.New("the host cannot be reached")
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the host answered %d", resp.StatusCode)
	}
	return io.ReadAll(io.LimitReader(resp.Body, 64<<10))
}
