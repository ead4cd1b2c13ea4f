package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/gin-gonic/gin"
)

// isLocalName reports whether a request's Host is one that only this machine has. A page of a name that its owner has lead
// here is of the same origin for a browser on this machine, which would let it read and call whatever is open.
func isLocalName(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	_, err = netip.ParseAddr(name)
	return err == nil || strings.EqualFold(name, "localhost")
}

// authorized lets those pass who have the operator's token. Hashes are compared, whose length tells
// nothing of the token's.
func (s Settings) authorized(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	c.Header("X-Content-Type-Options", "nosniff")
	if s.Token == "" && s.Open && isLocalName(c.Request.Host) {
		return
	}
	if s.Token == "" && s.Open {
		c.String(http.StatusForbidden, "closed to other names: call this address localhost, or by its number, or name a token in admin_token_file\n")
		c.Abort()
		return
	}
	if s.Token == "" {
		c.String(http.StatusForbidden, "closed: this address is not a loopback one, and admin_token_file names no token\n")
		c.Abort()
		return
	}
	scheme, given, _ := strings.Cut(c.GetHeader("Authorization"), " ")
	got, want := sha256.Sum256([]byte(strings.TrimSpace(given))), sha256.Sum256([]byte(s.Token))
	if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		c.Header("WWW-Authenticate", `Bearer realm="portico"`)
		c.String(http.StatusUnauthorized, "send the token of admin_token_file as Authorization: Bearer\n")
		c.Abort()
	}
}
