package config

import (
	"regexp"
	"slices"
	"strings"
)

// validate holds the settings to what single values cannot tell: required ones, forms of text, and
// what must fit together. It knows the whole schema, also what this version does not serve.
func (c *Config) validate(v *verdict) {
	c.checkDoors(v)
	c.checkCallers(v)
	c.checkStore(v)
	c.checkSites(v)
	c.checkRoutes(v)
	c.checkStates(v)
	c.checkTraces(v)
}

var versionForm = regexp.MustCompile(`^\d+(\.\d+){1,3}$`)

// prefixForm is that of whole path segments, spelled as they are compared: without escapes.
var prefixForm = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)

// checkDoors is about the settings of Portico itself.
func (c *Config) checkDoors(v *verdict) {
	problem := checkListen(c.Listen)
	if problem != "" {
		v.fault("listen", "%s", problem)
	}
	if adminProblem := checkListen(c.Admin); adminProblem != "" {
		v.fault("admin", "%s", adminProblem)
	} else if problem == "" && sameAddress(c.Listen, c.Admin) {
		v.fault("admin", "%q is taken by listen, %q; use another port", c.Admin, c.Listen)
	}
	if v.given("public_url") {
		if problem := checkPublicURL(c.PublicURL); problem != "" {
			v.fault("public_url", "%s", problem)
		}
	}
	if !versionForm.MatchString(c.HTCCVersion) {
		v.fault("htcc_version", "%q is not a version; want one such as 8.5.202.96", c.HTCCVersion)
	}
	for i, prefix := range c.Passthrough {
		if !prefixForm.MatchString(prefix) {
			v.fault(item("passthrough", i), "%q is not the beginning of a path; want one such as /internal-api, without a slash at the end", prefix)
		}
	}
	for i, network := range c.TrustedProxies {
		if network.IsValid() && network.Bits() == 0 {
			v.warn(item("trusted_proxies", i), "%s trusts everybody, so any caller may choose the address it is limited by", network)
		}
	}
}

var stateForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)

// reserved operations have a meaning of their own.
//
// Source: GWS, operations of /me, channels and devices.
var reserved = []string{
	"Ready", "NotReady", "AfterCallWork", "AuxWork", "Offline",
	"DoNotDisturbOn", "DoNotDisturbOff", "ForwardCallsOn", "ForwardCallsOff",
	"StartContactCenterSession", "EndContactCenterSession",
}

func (c *Config) checkStates(v *verdict) {
	names := sorted(c.States)
	for i, name := range names {
		path := join("states", name)
		same := func(other string) bool { return strings.EqualFold(name, other) }
		switch {
		case !stateForm.MatchString(name):
			v.fault(path, "%q cannot be an operationName; use letters and digits, such as OutToLunch", name)
		case slices.ContainsFunc(reserved, same):
			v.fault(path, "the operation %s has a meaning already; use another name", name)
		case slices.ContainsFunc(names[:i], same):
			v.fault(path, "differs from another state only in capitals, which callers may vary; use another name")
		}
		if len(c.States[name]) == 0 {
			v.fault(path, "names no site's state; write one such as {%s: ...}", c.someSite())
		}
		for _, site := range sorted(c.States[name]) {
			c.checkSiteName(join(path, site), site, v)
		}
	}
}

// checkSiteName adds a fault at path unless a site of that name exists.
func (c *Config) checkSiteName(path, name string, v *verdict) bool {
	_, ok := c.Sites[name]
	if !ok && !v.unread("sites") && len(c.Sites) > 0 {
		v.fault(path, "no site is called %q%s", name, hint(name, sorted(c.Sites)))
	}
	return ok
}

// someSite returns the name of one site for use in an example.
func (c *Config) someSite() string { return append(sorted(c.Sites), "site")[0] }
