package main

import (
	"fmt"
	"time"
)

// A mode is a way in which applications reach the contact centres.
type mode struct {
	name   string // on the command line and in the CSV
	title  string // in tables
	direct bool   // without Portico

	cache string // members of "cache" in Portico's settings
	site  string // a line below sites.pureconnect

	// keepAlive is how often the settings have sessions that nobody reads kept alive; 0 where there
	// are none.
	keepAlive time.Duration

	catalogue per     // what a catalogue is to be fetched once for
	most      float64 // of the ICWS requests of direct use, other than writes; 0 = no target
}

// per says what one fetch is enough for.
type per string

const (
	perSession  per = "session"
	perLanguage per = "language"
)

// modes are all there are: a new one is a line here. One that Portico's settings do not allow is
// told of in Portico's own words.
var modes = []mode{
	{name: "direct", title: "direct", direct: true},
	{name: "agent", title: "agent/session", catalogue: perSession, most: 0.20,
		cache: "scope: session", site: "watch: agent"},
	{name: "shared", title: "agent/shared", catalogue: perLanguage, most: 0.20,
		cache: "scope: shared", site: "watch: agent"},
	{name: "service", title: "service/shared", catalogue: perLanguage, most: 0.05,
		cache: "scope: shared", site: "watch: service\n    service: {user: portico, password_file: " + servicePassword + "}"},
	{name: "heartbeats", title: "service, heartbeats", catalogue: perLanguage, most: 0.05,
		cache: "scope: shared", keepAlive: 5 * time.Second,
		site: "watch: service\n    service: {user: portico, hold: heartbeat, keep_alive: 5s, password_file: " + servicePassword + "}"},
}

// usualKeepAlive is Portico's default of sites.<name>.service.keep_alive. A compressed shift may be over
// before the first is due, so that the modes shorten it.
const usualKeepAlive = 90 * time.Second

// weight is how much one request of a class counts: a keep-alive as much less as it comes more often
// than it usually does.
func (m mode) weight(c class) float64 {
	if c == keepAlives && m.keepAlive > 0 {
		return float64(m.keepAlive) / float64(usualKeepAlive)
	}
	return 1
}

func modeNames() []string {
	var names []string
	for _, m := range modes {
		names = append(names, m.name)
	}
	return names
}

// servicePassword is the file, beside the settings, with the password of the simulator's service user.
const servicePassword = "service-password"

// settings returns what is laid over the demo's settings to play the mode. A compressed shift is hundreds
// of times as dense as any real one, so that log-ins are not paced, and calls may wait for each other.
func (m mode) settings(icws, htcc string) string {
	return fmt.Sprintf(`cache: {%s}
sites:
  pureconnect:
    urls: ["http://%s"]
    logins: {per_second: 10000}
    calls: {at_once: 10000, wait: 30s}
    %s
  cloud:
    urls: ["http://%s"]
    logins: {per_second: 10000}
    calls: {at_once: 10000, wait: 30s}
routes:
  - {match: "agent*", sites: [pureconnect]}
  - {match: "gws*", sites: [cloud]}
`, m.cache, icws, m.site, htcc)
}
