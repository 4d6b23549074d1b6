package fastlane

import (
	"bytes"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

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
// Otherwise the request is nil.
func (s *Server) parse(data []byte, base *http.Request) (r *http.Request, to *route, size int) {
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, nil, 0
	}
	line, fields, _ := strings.Cut(string(data[:end+2]), "\r\n")
	path, get := strings.CutPrefix(line, "GET ")
	path, http11 := strings.CutSuffix(path, " HTTP/1.1")
	to, segment := s.route(path)
	if !get || !http11 || to == nil || !plain(segment) {
		return nil, nil, 0
	}
	header, host, ok := parseFields(fields)
	if !ok {
		return nil, nil, 0
	}
	r = base.WithContext(base.Context()) // a copy
	r.Header, r.Host, r.RequestURI, r.URL = header, host, path, &url.URL{Path: path}
	return r, to, end + 4
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

// parseFields reads field lines, each with its CRLF. Host is not in the header, as
// net/http has it.
func parseFields(fields string) (header http.Header, host string, ok bool) {
	count := strings.Count(fields, "\n")
	header, hosts := make(http.Header, count), 0
	values := make([]string, 0, count) // one piece of memory for most values
	for fields != "" {
		var line string
		line, fields, _ = strings.Cut(fields, "\r\n")
		name, value, colon := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !colon || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return nil, "", false
		}
		if name = textproto.CanonicalMIMEHeaderKey(name); name == "Host" {
			if hosts++; !httpguts.ValidHostHeader(value) {
				return nil, "", false
			}
			host = value
			continue
		}
		if !ordinary(name, value) {
			return nil, "", false
		}
		if was := header[name]; was != nil {
			header[name] = append(was, value)
			continue
		}
		values = append(values, value)
		header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	return header, host, hosts == 1
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
