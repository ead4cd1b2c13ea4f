package config

// unsupported is what the schema knows and this version does not serve yet: nothing at present. An
// entry goes when its feature comes, together with its file in testdata/unsupported.
var unsupported []struct {
	what, instead string                 // what was asked for, and what there is
	where         func(*Config) []string // paths
}

// refuseUnsupported adds a fault for everything of the table that the settings ask for.
func (c *Config) refuseUnsupported(v *verdict) {
	for _, feature := range unsupported {
		for _, path := range feature.where(c) {
			v.fault(path, "%s is not available in this version; %s", feature.what, feature.instead)
		}
	}
}
