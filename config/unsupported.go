package config

// unsupported is what the schema knows and this version does not serve yet. An entry goes when its
// feature comes, together with its file in testdata/unsupported.
var unsupported = []struct {
	what, instead string                 // what was asked for, and what there is
	where         func(*Config) []string // paths
}{
	{`true`, "leave it out", sitesWith("native", func(s Site) bool { return s.Native })},
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
