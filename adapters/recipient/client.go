package recipient

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/cleversender/cleversender/domain/personal"
)

// clientIP is who sent the request. X-Forwarded-For is believed only as far as
// it was written by trusted proxies: from the right, the first address that is
// not one of them. Zero when there is none.
func clientIP(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := peer.Addr().Unmap()
	if !contains(trusted, addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return addr
		}
		if addr = hop.Unmap().WithZone(""); !contains(trusted, addr) {
			return addr
		}
	}
	return addr
}

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// who is the IP and the user agent of a request, marked as personal.
func (h *Handler) who(r *http.Request) (ip, client personal.Text) {
	if addr := clientIP(r, h.deps.TrustedProxies); addr.IsValid() {
		ip = personal.Of(addr.String())
	}
	return ip, personal.Of(r.UserAgent())
}
