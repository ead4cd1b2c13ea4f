package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// authorized lets those pass who have the operator's token. Hashes are compared, whose length tells
// nothing of the token's.
func (s Settings) authorized(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	c.Header("X-Content-Type-Options", "nosniff")
	if s.Token == "" && s.Open {
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
