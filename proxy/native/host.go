package native

import (
	"crypto/hmac"
	"encoding/base64"
)

// purposeHost keeps seals of hosts from being taken for others.
const purposeHost = "native host"

// sealHost returns what tells, when it comes back with a request of the session, at which host the
// session is. It is good for that session alone, nobody but us can make or change it, and it does not
// name the host.
func (n *Proxy) sealHost(session, base string) string {
	return base64.RawURLEncoding.EncodeToString(n.site.Key.Seal(purposeHost, session, base))
}

// mostSeals bounds how many values of a request are looked at: a browser sends one.
const mostSeals = 4

// hostOf returns the base of the host that a session is at, by what came back of sealHost: any of
// the values may be another session's or a stranger's. Without a good one it is the first host.
func (n *Proxy) hostOf(session string, values []string) string {
	hosts := n.site.ICWS.Hosts()
	for _, value := range values[:min(len(values), mostSeals)] {
		seal, err := base64.RawURLEncoding.DecodeString(value)
		if err != nil {
			continue
		}
		for _, base := range hosts {
			if hmac.Equal(seal, n.site.Key.Seal(purposeHost, session, base)) {
				return base
			}
		}
	}
	return hosts[0]
}
