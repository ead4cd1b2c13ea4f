package config

import (
	"slices"
	"strings"
)

func (c *Config) checkRoutes(v *verdict) {
	if len(c.Routes) == 0 {
		v.fault("routes", "there are none; want at least one, such as {match: \"*\", sites: [%s]}", c.someSite())
	}
	routed := map[string]bool{}
	var before matches
	for i, route := range c.Routes {
		path := item("routes", i)
		before.check(route.Match, i, join(path, "match"), v)
		c.checkRouteSites(route, join(path, "sites"), v)
		c.checkRouteChannels(route, path, v)
		checkRouteLogin(route, join(path, "login"), v)
		for _, site := range route.Sites {
			routed[site] = true
		}
	}
	for _, name := range sorted(c.Sites) {
		if !routed[name] && len(c.Routes) > 0 && !v.unread("routes") {
			v.warn(join("sites", name), "no route leads to this site")
		}
	}
}

// matches are those of the routes so far. There may be one for each of very many agents.
type matches struct {
	names    map[string]int // those without *, and their first routes
	patterns []pattern      // those with *
}

// A pattern is a match with * of the route at an index.
type pattern struct {
	match string
	at    int
}

// add notes the match of the i-th route.
func (m *matches) add(match string, i int) {
	if strings.Contains(match, "*") {
		m.patterns = append(m.patterns, pattern{match, i})
		return
	}
	if m.names == nil {
		m.names = map[string]int{}
	}
	m.names[match] = i
}

// cover returns the first pattern or name that matches all that match does.
func (m *matches) cover(match string) (pattern, bool) {
	at, found := m.names[match]
	for _, earlier := range m.patterns {
		if found && at < earlier.at {
			break
		}
		if covers(earlier.match, match) {
			return earlier, true
		}
	}
	return pattern{match, at}, found
}

// check is about the match of the i-th route and the routes before it.
func (m *matches) check(match string, i int, path string, v *verdict) {
	if match == "" {
		v.fault(path, "is missing; want a login name with * in it, such as \"*@gws.example\" or \"*\"")
		return
	}
	if lower := strings.ToLower(match); lower != match {
		v.fault(path, "%q matches nobody, login names are compared in lower case; write %q", match, lower)
	}
	earlier, covered := m.cover(match)
	if covered {
		v.fault(path, "%q is never reached: %s, %q, matches all of it; put it before that one or leave it out", match, item("routes", earlier.at), earlier.match)
		return
	}
	m.add(match, i)
}

// checkRouteSites holds a route to at most one site of each kind.
func (c *Config) checkRouteSites(route Route, path string, v *verdict) {
	if len(route.Sites) == 0 {
		v.fault(path, "there are none; want one site, or one of each kind")
	}
	for i, name := range route.Sites {
		if name == "" || !c.checkSiteName(item(path, i), name, v) {
			continue
		}
		kind := c.Sites[name].Kind
		alike := func(other string) bool { return kind != "" && c.Sites[other].Kind == kind }
		switch at := slices.IndexFunc(route.Sites[:i], alike); {
		case slices.Contains(route.Sites[:i], name):
			v.fault(item(path, i), "%q is there twice; once is enough", name)
		case at >= 0:
			v.fault(item(path, i), "%q and %q are both %s; an agent works on one site of each kind", route.Sites[at], name, kind)
		}
	}
}

// checkRouteChannels gives each channel one owner that has it.
func (c *Config) checkRouteChannels(route Route, path string, v *verdict) {
	channels := join(path, "channels")
	if len(route.Sites) > 1 && len(route.Channels) == 0 {
		v.fault(channels, "is missing; with two sites say which one owns each channel, such as {voice: %s}", route.Sites[0])
	}
	owns := map[string]bool{}
	for _, channel := range sorted(route.Channels) {
		owner, below := route.Channels[channel], join(channels, channel)
		owns[owner] = true
		site, known := c.Sites[owner]
		switch {
		case !nameForm.MatchString(channel):
			v.fault(below, "%q cannot be a channel; %s", channel, nameHint)
		case owner == "" || len(route.Sites) == 0: // could not be read
		case !slices.Contains(route.Sites, owner):
			v.fault(below, "%q is not among the sites of this route%s", owner, hint(owner, route.Sites))
		case known && !site.has(channel):
			v.fault(below, "site %q has no channel %q%s", owner, channel, hint(channel, sorted(site.Channels)))
		}
	}
	for i, name := range route.Sites {
		if len(route.Sites) > 1 && len(route.Channels) > 0 && !owns[name] {
			v.warn(item(join(path, "sites"), i), "%q owns no channel of this route", name)
		}
	}
}

func checkRouteLogin(route Route, path string, v *verdict) {
	for _, site := range sorted(route.Login) {
		below, template := join(path, site), route.Login[site]
		if !slices.Contains(route.Sites, site) && len(route.Sites) > 0 {
			v.fault(below, "%q is not among the sites of this route%s", site, hint(site, route.Sites))
		}
		if problem := checkLogin(template); template != "" && problem != "" {
			v.fault(below, "%s", problem)
		}
	}
}
