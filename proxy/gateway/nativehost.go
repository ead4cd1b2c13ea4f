package gateway

import (
	"crypto/hmac"
	"encoding/base64"
	"strings"
)

// purposeHost keeps seals of hosts from being taken for others.
const purposeHost = "native host"

// sealHost returns what tells, when it comes back with a request of the session, at which host the
// session is. It is good for that session alone, and nobody but us can make or change it.
func (n *native) sealHost(session, base string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(base)) + "." + encode(n.key.Seal(purposeHost, session, base))
}

// hostOf returns the base of the host that a session is at, by what came back of sealHost: any of
// the values may be another session's or a stranger's. Without a good one it is the first host.
func (n *native) hostOf(session string, values []string) string {
	for _, value := range values {
		base, ok := n.unsealHost(session, value)
		if ok && n.site.ICWS.HasHost(base) { // it may have left the settings
			return base
		}
	}
	return n.site.ICWS.FirstHost()
}

func (n *native) unsealHost(session, value string) (string, bool) {
	encoded, encodedSeal, _ := strings.Cut(value, ".")
	base, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return "", false
	}
	seal, err := base64.RawURLEncoding.DecodeString(encodedSeal)
	if err != nil {
		return "", false
	}
	return string(base), hmac.Equal(seal, n.key.Seal(purposeHost, session, string(base)))
}
