package config

// lay returns base with over laid over it: mappings merge key by key, all else is replaced. A key
// of over without a value leaves a mapping of base as it is. Neither is changed.
func lay(base, over *node) *node {
	if base.shape != mapping || over.shape == list || over.shape == scalar {
		return over
	}
	if over.shape == nothing {
		return base
	}
	merged := newMapping(over.at)
	for _, key := range base.keys {
		merged.set(key, base.fields[key])
	}
	for _, key := range over.keys {
		value := over.fields[key]
		if below := base.fields[key]; below != nil {
			value = lay(below, value)
		}
		merged.set(key, value)
	}
	return merged
}
