package proxy

import (
	"net/http"
	"net/netip"
	"strings"
)

// address returns the address that the caller has: the peer's, or where that is a trusted proxy the
// last one in X-Forwarded-For that is none. What stands before it is the caller's invention. It is
// the zero Addr for a peer without one.
func (c *call) address() netip.Addr {
	return c.door.addressOf(c.Request.RemoteAddr, strings.Join(c.Request.Header["X-Forwarded-For"], ","))
}

func (d *door) addressOf(remote, forwarded string) netip.Addr {
	address, ok := peerOf(remote)
	if !ok {
		return netip.Addr{}
	}
	hops := strings.Split(forwarded, ",")
	for i := len(hops) - 1; i >= 0 && d.trusts(address); i-- {
		before, ok := hop(hops[i])
		if !ok {
			break // no address: the proxy itself is the last that we know of
		}
		address = before
	}
	return address
}

// peerOf reads the address that a connection comes from. Its zone, of a peer on the same link, is left out: no network
// of the settings has one.
func peerOf(remote string) (netip.Addr, bool) {
	peer, err := netip.ParseAddrPort(remote)
	return peer.Addr().Unmap().WithZone(""), err == nil
}

// hop reads one address of X-Forwarded-For, with or without a port: proxies are known that add it.
func hop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	withPort, err := netip.ParseAddrPort(text)
	if err == nil {
		return withPort.Addr().Unmap().WithZone(""), true
	}
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return address.Unmap().WithZone(""), err == nil
}

// trusts reports whether an address is that of a proxy that the settings trust.
func (d *door) trusts(address netip.Addr) bool {
	for _, network := range d.settings.TrustedProxies {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// trustedBefore returns the headers of a request that came by a proxy that is trusted, nil for any
// other: what it says of those before it is then the caller's invention.
func (c *call) trustedBefore(in *http.Request) http.Header {
	peer, ok := peerOf(in.RemoteAddr)
	if !ok || !c.door.trusts(peer) {
		return nil
	}
	return in.Header
}
