package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// PublicURLAt returns the URL of a server that listens at host:port, with localhost for a server
// on all addresses. It is empty where the port is 0 or the address is none.
func (c *Config) PublicURLAt(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || port == "0" {
		return ""
	}
	if everyHost(host) {
		host = "localhost"
	}
	scheme := "http://"
	if c.TLS.Given() {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port)
}

// OnLoopback reports whether only this machine reaches a server that listens at host:port.
func OnLoopback(listen string) bool {
	host, _, _ := net.SplitHostPort(listen)
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// everyHost reports whether a server on this host listens on all addresses.
func everyHost(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "" || err == nil && address.IsUnspecified()
}

// checkListen returns what is wrong with an address to listen on, "" for nothing.
func checkListen(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Sprintf("%q is not an address; want host:port, such as 127.0.0.1:8080 or :8080", address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Sprintf("%q has no port from 0 to 65535; want host:port, such as 127.0.0.1:8080 or :8080", address)
	}
	return ""
}

// sameAddress reports whether two servers cannot both listen on these.
func sameAddress(a, b string) bool {
	hostA, portA, _ := net.SplitHostPort(a)
	hostB, portB, _ := net.SplitHostPort(b)
	return portA == portB && portA != "0" && (hostA == hostB || everyHost(hostA) || everyHost(hostB))
}

// leadsTo reports whether a URL is certainly of a server on this machine that listens at host:port.
func leadsTo(of *url.URL, listen string) bool {
	host, port, _ := net.SplitHostPort(listen)
	theirs := of.Port()
	switch {
	case theirs == "" && of.Scheme == "https":
		theirs = "443"
	case theirs == "":
		theirs = "80"
	}
	loopback := OnLoopback(net.JoinHostPort(of.Hostname(), theirs))
	return theirs == port && (strings.EqualFold(of.Hostname(), host) || loopback && (everyHost(host) || host == "localhost") ||
		of.Hostname() == "localhost" && OnLoopback(listen))
}

// checkURL returns what is wrong with an absolute URL and what would be right, "" for nothing. It
// does not quote a URL that may hold a password.
func checkURL(raw string) string {
	if strings.Contains(raw, "@") {
		return "holds credentials; leave them out, agents bring their own"
	}
	if !strings.Contains(raw, "://") {
		return fmt.Sprintf("%q has no scheme; want https://host:port", raw)
	}
	parsed, err := url.Parse(raw)
	switch {
	case err != nil:
		return fmt.Sprintf("%q is not a URL; want https://host:port", raw)
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return fmt.Sprintf("%q is neither http nor https", raw)
	case parsed.Hostname() == "":
		return fmt.Sprintf("%q names no host; want https://host:port", raw)
	case parsed.RawQuery != "" || parsed.ForceQuery || parsed.Fragment != "":
		return "has a query or fragment; leave it out"
	}
	if port := parsed.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fmt.Sprintf("%q has no port from 1 to 65535", raw)
		}
	}
	return ""
}

// inClear reports whether passwords sent to a URL could be read on their way.
func inClear(raw string) bool {
	parsed, err := url.Parse(raw)
	if err != nil || parsed.Scheme != "http" {
		return false
	}
	address, err := netip.ParseAddr(parsed.Hostname())
	if err != nil {
		return parsed.Hostname() != "localhost"
	}
	return !address.IsLoopback()
}
