package fastlane

import (
	"bytes"
	"context"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// request is room for one request after the other.
type request struct {
	http.Request
	bare   *http.Request // what is the same in each, and where path values are kept
	url    url.URL
	header http.Header
	values []string // most of the header's, in one piece of memory
}

func newRequest(ctx context.Context, remote string) *request {
	bare := (&http.Request{
		Method: http.MethodGet, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody, RemoteAddr: remote,
	}).WithContext(ctx)
	bare.SetPathValue("", "")
	return &request{bare: bare, header: http.Header{}}
}

// parse reads the request that data begins with, and says how long it is, if it
// is plain:
//
//   - its whole head is there, and its lines end in CRLF (RFC 9112, section 2.2);
//   - its request line (section 3) is GET, a route's prefix, one segment of
//     unreserved characters that does not begin with a dot (RFC 3986, section
//     2.3), and HTTP/1.1, with single spaces between: nothing to decode, to
//     clean or to redirect;
//   - field names are tokens right before the colon, values are free of control
//     characters, and no line is folded (RFC 9112, section 5);
//   - there is one Host (section 3.2), and no field that says how long the
//     message is, what else the connection is to do, or that net/http would
//     change.
//
// Otherwise there is no route.
func (s *Server) parse(data []byte, r *request) (to *route, size int) {
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, 0
	}
	line, fields, _ := strings.Cut(string(data[:end+2]), "\r\n")
	path, get := strings.CutPrefix(line, "GET ")
	path, http11 := strings.CutSuffix(path, " HTTP/1.1")
	to, segment := s.route(path)
	if !get || !http11 || to == nil || !plain(segment) {
		return nil, 0
	}
	host, ok := r.parseFields(fields)
	if !ok {
		return nil, 0
	}
	r.Request, r.url = *r.bare, url.URL{Path: path}
	r.Header, r.Host, r.RequestURI, r.URL = r.header, host, path, &r.url
	return to, end + 4
}

func (s *Server) route(path string) (to *route, segment string) {
	for i := range s.routes {
		if segment, ok := strings.CutPrefix(path, s.routes[i].prefix); ok {
			return &s.routes[i], segment
		}
	}
	return nil, ""
}

// plain says that the segment is the same, encoded and decoded.
func plain(segment string) bool {
	for i := range len(segment) {
		switch c := segment[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '~', c == '.' && i > 0:
		default:
			return false
		}
	}
	return segment != ""
}

// parseFields reads field lines, each with its CRLF, into the header. Host is not
// there, as net/http has it.
func (r *request) parseFields(fields string) (host string, ok bool) {
	clear(r.header)
	r.values = r.values[:0]
	hosts := 0
	for fields != "" {
		var line string
		line, fields, _ = strings.Cut(fields, "\r\n")
		name, value, colon := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !colon || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return "", false
		}
		if name = textproto.CanonicalMIMEHeaderKey(name); name == "Host" {
			if hosts++; !httpguts.ValidHostHeader(value) {
				return "", false
			}
			host = value
			continue
		}
		if !ordinary(name, value) {
			return "", false
		}
		if was := r.header[name]; was != nil {
			r.header[name] = append(was, value)
			continue
		}
		r.values = append(r.values, value)
		r.header[name] = r.values[len(r.values)-1 : len(r.values) : len(r.values)]
	}
	return host, hosts == 1
}

// ordinary says that a field has nothing to do with where a message ends, what else
// the connection is to do, or what net/http would change in the header.
func ordinary(name, value string) bool {
	switch name {
	case "Connection":
		return strings.EqualFold(value, "keep-alive") // what HTTP/1.1 does anyway
	case "Content-Length", "Expect", "Http2-Settings", "Pragma", "Trailer", "Transfer-Encoding", "Upgrade":
		return false
	default:
		return true
	}
}
