package push

import "strings"

// The meta channels that exist. Others under /meta cannot be made by a client.
//
// Source: The Bayeux Protocol Specification 1.0, "Meta Channels".
const (
	metaHandshake   = "/meta/handshake"
	metaConnect     = "/meta/connect"
	metaSubscribe   = "/meta/subscribe"
	metaUnsubscribe = "/meta/unsubscribe"
	metaDisconnect  = "/meta/disconnect"
)

// validChannel reports whether name is that of a channel, or a pattern where patterns are allowed:
// segments after slashes, of which the last may be * or **.
//
// Source: The Bayeux Protocol Specification 1.0, "Channels" and "Channel Globbing".
func validChannel(name string, pattern bool) bool {
	if name == "" || name[0] != '/' || len(name) > 1000 {
		return false
	}
	for rest, more := name[1:], true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		wild := segment == "*" || segment == "**"
		if wild && pattern && !more {
			continue
		}
		if segment == "" || strings.IndexFunc(segment, foreign) >= 0 {
			return false
		}
	}
	return true
}

// foreign reports whether r cannot stand in a channel's name. CometD lets more pass than the
// specification does.
//
// Source: CometD 3.1, BayeuxServerImpl, VALID.
func foreign(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune(" !#$()+-.@_{}~", r)
}

// isMeta reports whether name, a channel or a pattern, lies under /meta.
func isMeta(name string) bool { return strings.HasPrefix(name, "/meta/") }

// isService reports whether name lies under /service: such channels have no subscribers.
func isService(name string) bool { return strings.HasPrefix(name, "/service/") }

// metaExists reports whether name is one of the five meta channels.
func metaExists(name string) bool {
	switch name {
	case metaHandshake, metaConnect, metaSubscribe, metaUnsubscribe, metaDisconnect:
		return true
	}
	return false
}

// matches reports whether pattern, an exact name or one that ends in a wildcard, covers channel:
// /a/* has exactly one segment more than /a, /a/** has one or more.
func matches(pattern, channel string) bool {
	if pattern == channel {
		return true
	}
	above, deep := strings.CutSuffix(pattern, "**")
	if !deep {
		var wild bool
		above, wild = strings.CutSuffix(pattern, "*")
		if !wild {
			return false
		}
	}
	rest, below := strings.CutPrefix(channel, above)
	return below && rest != "" && (deep || !strings.Contains(rest, "/"))
}
