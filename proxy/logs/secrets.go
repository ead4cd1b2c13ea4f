package logs

import (
	"log/slog"
	"net/http"
	"net/url"
)

// withheld stands in the log for what must not.
const withheld = "<withheld>"

// secret are the keys under which nothing is written, in lower case and without dashes and underscores.
var secret = map[string]bool{
	"password": true, "passwd": true, "pwd": true, "secret": true, "token": true, "accesstoken": true, "csrftoken": true,
	"xcsrftoken": true, "icwscsrftoken": true, "ininicwscsrftoken": true, "authorization": true, "proxyauthorization": true,
	"credentials": true, "cookie": true, "setcookie": true, "jsessionid": true, "sessionid": true, "body": true, "headers": true,
	"header": true,
}

// withoutSecrets is a slog.HandlerOptions.ReplaceAttr. It withholds what has the name of a secret, and
// values that hold one: requests, answers, headers, cookies, and URLs, since those of ICWS name the
// session.
func withoutSecrets(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		if isSecret(a.Key) {
			return slog.String(a.Key, withheld)
		}
	case slog.KindAny:
		if isSecret(a.Key) || holdsSecrets(a.Value.Any()) {
			return slog.String(a.Key, withheld)
		}
	}
	return a // of numbers and times none is a secret
}

// longestSecret is how long a key of a secret is at most, in bytes.
const longestSecret = 24

// isSecret reports whether a key is that of a secret, however it is written. It is called for each
// attribute, and so allocates nothing.
func isSecret(key string) bool {
	var plain [longestSecret]byte
	n := 0
	for i := range len(key) {
		c := key[i]
		switch {
		case c == '-' || c == '_':
			continue
		case n == len(plain):
			return false
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		}
		plain[n] = c
		n++
	}
	return secret[string(plain[:n])]
}

func holdsSecrets(value any) bool {
	switch value.(type) {
	case http.Header, *http.Request, http.Request, *http.Response, http.Response, *http.Cookie, http.Cookie, []*http.Cookie,
		*url.URL, url.URL, url.Values, []byte:
		return true
	}
	return false
}
