package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// checkPublicURL is checkURL for one that is also an origin.
func checkPublicURL(raw string) string {
	if problem := checkURL(raw); problem != "" {
		return problem
	}
	parsed, err := url.Parse(raw)
	if err != nil {
		return fmt.Sprintf("%q is not a URL; want https://host", raw)
	}
	host := parsed.Hostname()
	origin := originOf(parsed)
	switch {
	case strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }):
		return fmt.Sprintf("%q has letters beyond ASCII; write the host as browsers send it, xn--...", raw)
	case endsInNumber.MatchString(host) && !isIPv4(host):
		return fmt.Sprintf("%q has a host that browsers take for an IPv4 address; write all four numbers, such as 127.0.0.1", raw)
	case origin != raw:
		return fmt.Sprintf("%q is more than an origin, or not written as browsers do; write %q", raw, origin)
	}
	return ""
}

// originOf returns scheme, host and port of a URL as browsers write them in an Origin header, if its host is ASCII
// and no odd IPv4 address.
//
// Source: RFC 6454, section 6.2: lower case, no default port, no path.
func originOf(of *url.URL) string {
	host := strings.ToLower(of.Hostname())
	address, err := netip.ParseAddr(host)
	if err == nil && address.Is6() {
		host = "[" + ipv6InBrowsers(address) + "]"
	}
	origin := strings.ToLower(of.Scheme) + "://" + host
	port, _ := strconv.Atoi(of.Port())
	if port != 0 && port != map[string]int{"http": 80, "https": 443}[of.Scheme] {
		origin += ":" + strconv.Itoa(port)
	}
	return origin
}

// ipv6InBrowsers writes an IPv6 address as browsers do: without a zone, and never with dots.
//
// Source: URL Standard, section 3.5, the IPv6 serializer.
func ipv6InBrowsers(address netip.Addr) string {
	if bytes := address.As16(); address.Is4In6() {
		return fmt.Sprintf("::ffff:%x:%x", int(bytes[12])<<8|int(bytes[13]), int(bytes[14])<<8|int(bytes[15]))
	}
	return address.WithZone("").String()
}

// endsInNumber is a host that browsers read as an IPv4 address, or not at all: 127.1 is 127.0.0.1 to them.
//
// Source: URL Standard, section 3.5, the ends-in-a-number checker.
var endsInNumber = regexp.MustCompile(`^([^:]*\.)?([0-9]+|0[xX][0-9a-fA-F]*)\.?$`)

// isIPv4 reports whether a host is an IPv4 address, written as browsers do.
func isIPv4(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.Is4()
}
