package smtp

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Parse reads where mail goes:
//
//	smtp://[user:password@]host[:port]    port 587 with a user, else 25; STARTTLS when offered
//	smtps://[user:password@]host[:port]   port 465; encrypted from the start
//
// and, after a question mark, any of
//
//	starttls=auto|required|off   smtp only; auto is the default
//	insecure=true                take any certificate
//	helo=NAME                    our name; the machine's by default
//	connections=N                at most at a time; 8 by default
//	messages=N                   before a connection is closed; 0, the default: no limit
//	burst=N                      on their way at once over a connection, if the server takes
//	                             chunks; 8 by default; 1: one after the other, with DATA
//	timeout=30s                  of a connect, a command, a write
//	data_timeout=2m              of the reply to a message
//	idle=30s                     an unused connection is closed after this
//
// and, where there are several servers,
//
//	name=NAME                    what campaigns, results and metrics call it; the host by default
//	from=news@a.example,b.example,*.c.example
//	                             whose mail it takes; everybody's by default
//	priority=N                   while one with a lower number answers, it is not asked; 0 by default
//	rate=N/s                     messages a second, or N/m, N/h, N/d; no limit by default
//
// A password never leaves unencrypted, but to this very machine. Errors hold
// neither user nor password.
func Parse(raw string) (Config, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return Config{}, errors.New("the mail server is given as smtp://host:port or smtps://host:port")
	}
	c := Config{
		Host: u.Hostname(), TLS: u.Scheme == "smtps", StartTLS: WhenOffered, Connections: 8, Burst: 8,
		Timeout: 30 * time.Second, DataTimeout: 2 * time.Minute, Idle: 30 * time.Second,
	}
	port := u.Port()
	if u.User != nil {
		c.User = u.User.Username()
		c.Pass, _ = u.User.Password()
	}
	switch {
	case port != "":
	case c.TLS:
		port = "465" // RFC 8314, section 3.3
	case c.User != "":
		port = "587" // RFC 6409, section 3.1
	default:
		port = "25"
	}
	c.Addr = net.JoinHostPort(c.Host, port)
	if c.Hello, err = os.Hostname(); err != nil || !isASCII(c.Hello) || c.Hello == "" {
		c.Hello = "localhost"
	}
	for key, values := range u.Query() {
		if err := c.set(key, values[len(values)-1]); err != nil {
			return Config{}, err
		}
	}
	return c, nil
}

func (c *Config) set(key, value string) (err error) {
	switch key {
	case "starttls":
		c.StartTLS = StartTLS(value)
		if c.TLS || c.StartTLS != WhenOffered && c.StartTLS != Required && c.StartTLS != Off {
			err = errors.New("is auto, required or off, and for smtp:// only")
		}
	case "insecure":
		c.Insecure, err = strconv.ParseBool(value)
	case "helo":
		if c.Hello = value; value == "" || strings.ContainsFunc(value, notPrinted) {
			err = errors.New("is a host name")
		}
	case "connections":
		c.Connections, err = number(value, 1, 1000)
	case "messages":
		c.PerConn, err = number(value, 0, 1<<30)
	case "burst":
		c.Burst, err = number(value, 1, 100)
	case "timeout":
		c.Timeout, err = duration(value)
	case "data_timeout":
		c.DataTimeout, err = duration(value)
	case "idle":
		c.Idle, err = duration(value)
	case "name":
		if c.Name = value; value == "" || len(value) > 100 || strings.ContainsFunc(value, notPrinted) {
			err = errors.New("is one word")
		}
	case "from":
		if c.From = strings.Split(value, ","); slices.Contains(c.From, "") {
			err = errors.New("is addresses and domains, with commas between them")
		}
	case "priority":
		c.Priority, err = number(value, 0, 1000)
	case "rate":
		c.Rate, err = rate(value)
	default:
		err = errors.New("is not known")
	}
	if err != nil {
		return fmt.Errorf("the mail server's setting %s: %w", key, err)
	}
	return nil
}

func number(s string, least, most int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("is a number from %d to %d", least, most)
	}
	return n, nil
}

func notPrinted(r rune) bool { return r <= ' ' || r >= 0x7f }

var seconds = map[string]float64{"s": 1, "m": 60, "h": 3600, "d": 86_400}

func rate(s string) (float64, error) {
	count, unit, _ := strings.Cut(s, "/")
	n, err := number(count, 1, 1<<30)
	if err != nil || seconds[unit] == 0 {
		return 0, errors.New("is given as 20/s, 600/m, 10000/h or 100000/d")
	}
	return float64(n) / seconds[unit], nil
}

func duration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, errors.New("is a duration such as 30s")
	}
	return d, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
