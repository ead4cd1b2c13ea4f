package native

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"encoding/base64"
	"slices"

	"portico/proxy/session"
)

// Purposes that keep seals of hosts from being taken for others.
const (
	purposeHost    = "native host" // of releases before, see sealedBefore
	purposeHostKey = "native host key"
)

// newHostSeal returns what seals hosts.
func newHostSeal(key session.Key) cipher.AEAD {
	block, err := aes.NewCipher(key.Seal(purposeHostKey))
	if err != nil {
		panic("native: a seal is no key: " + err.Error())
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("native: no seal of a block cipher: " + err.Error())
	}
	return seal
}

// sealHost returns what tells, when it comes back with a request of the session, at which host the
// session is: here, and at replicas that have not heard of that host. It is good for that session alone,
// and nobody but us can make, change or read it.
func (n *Proxy) sealHost(session, base string) string {
	return base64.RawURLEncoding.EncodeToString(n.hosts.Seal(nil, nil, []byte(base), []byte(session)))
}

// mostSeals bounds how many values of a request are looked at: a browser sends one.
const mostSeals = 4

// hostOf returns the base of the host that a session is at, by what came back of sealHost: any of
// the values may be another session's or a stranger's. Without a good one it is the first host.
func (n *Proxy) hostOf(session string, values []string) string {
	for _, value := range values[:min(len(values), mostSeals)] {
		sealed, err := base64.RawURLEncoding.DecodeString(value)
		if err != nil {
			continue
		}
		text, err := n.hosts.Open(nil, nil, sealed, []byte(session))
		base := string(text)
		if err != nil {
			base = n.sealedBefore(session, sealed)
		}
		if base != "" && n.site.ICWS.MayCall(base) { // the settings may have changed since
			return base
		}
	}
	return n.site.ICWS.FirstHost()
}

// sealedBefore returns the base in a seal of the release before this one, which holds but a hash, or "". Without it
// an update would log out whoever is at another host than the first. The next release can do without.
func (n *Proxy) sealedBefore(session string, sealed []byte) string {
	hosts := n.site.ICWS.Hosts()
	at := slices.IndexFunc(hosts, func(base string) bool { return hmac.Equal(sealed, n.site.Key.Seal(purposeHost, session, base)) })
	if at < 0 {
		return ""
	}
	return hosts[at]
}
