package config

// unsupported is what the schema knows and this version does not serve yet. An entry goes when its
// feature comes, together with its file in testdata/unsupported.
var unsupported = []struct {
	what, instead string                 // what was asked for, and what there is
	where         func(*Config) []string // paths
}{
	{`"htcc"`, "use icws", sitesWith("kind", func(s Site) bool { return s.Kind == HTCC })},
	{`"service"`, "use agent", sitesWith("watch", func(s Site) bool { return s.Watch == WatchService })},
	{`true`, "leave it out", sitesWith("native", func(s Site) bool { return s.Native })},
	{"a route with two sites", "name one", routesWith("sites", func(r Route) bool { return len(r.Sites) > 1 })},
	{"one name for several states", "leave them out", oneWhere("states", func(c *Config) bool { return len(c.States) > 0 })},
	{`"shared"`, "use session", oneWhere("cache.scope", func(c *Config) bool { return c.Cache.Scope == ScopeShared })},
}

// refuseUnsupported adds a fault for everything of the table that the settings ask for.
func (c *Config) refuseUnsupported(v *verdict) {
	for _, feature := range unsupported {
		for _, path := range feature.where(c) {
			v.fault(path, "%s is not available in this version; %s", feature.what, feature.instead)
		}
	}
}

func sitesWith(key string, asks func(Site) bool) func(*Config) []string {
	return func(c *Config) []string {
		var paths []string
		for _, name := range sorted(c.Sites) {
			if asks(c.Sites[name]) {
				paths = append(paths, pathOf("sites", name, key))
			}
		}
		return paths
	}
}

func routesWith(key string, asks func(Route) bool) func(*Config) []string {
	return func(c *Config) []string {
		var paths []string
		for i, route := range c.Routes {
			if asks(route) {
				paths = append(paths, join(item("routes", i), key))
			}
		}
		return paths
	}
}

func oneWhere(path string, asks func(*Config) bool) func(*Config) []string {
	return func(c *Config) []string {
		if asks(c) {
			return []string{path}
		}
		return nil
	}
}
