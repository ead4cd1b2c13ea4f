package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// live are the keys that take effect at a reload, with all below them; a * stands for any name. All
// others are built into what runs and need a restart. A key joins by a line here and one in README.md,
// once cmd/portico carries its change out.
var live = []string{
	"trusted_proxies", "dialect", "htcc_version", "passthrough", "quick_requests",
	"idle_timeout", "credentials", "csrf", "logins", "drain_delay", "grace", "cache.max_bytes", "log",
	"limits.requests", "limits.body", "limits.url", "limits.headers", "limits.body_timeout", "limits.write_timeout",
	"routes", "states",
}

// Live returns the keys that take effect at a reload.
func Live() []string { return slices.Clone(live) }

// Changes returns the paths of the settings that differ between c and next: those that take effect at
// a reload, and those that need a restart. A list is one setting.
func (c *Config) Changes(next *Config) (atReload, atRestart []string) {
	for _, path := range differences("", reflect.ValueOf(*c), reflect.ValueOf(*next)) {
		if slices.ContainsFunc(live, func(key string) bool { return isAt(path, key) }) {
			atReload = append(atReload, path)
		} else {
			atRestart = append(atRestart, path)
		}
	}
	return atReload, atRestart
}

// isAt reports whether a path is key, or below it.
func isAt(path, key string) bool {
	names, keys := strings.Split(path, "."), strings.Split(key, ".")
	return len(names) >= len(keys) &&
		slices.EqualFunc(names[:len(keys)], keys, func(name, key string) bool { return name == key || key == "*" })
}

// differences returns the paths below path at which two values of one type differ, in the order of the
// structs.
func differences(path string, was, is reflect.Value) []string {
	t := was.Type()
	var all []string
	switch {
	case t.Kind() == reflect.Struct && !isLeaf(t):
		for _, f := range fieldsOf(t) {
			all = append(all, differences(join(path, f.name), was.FieldByIndex(f.Index), is.FieldByIndex(f.Index))...)
		}
	case t.Kind() == reflect.Map:
		for _, key := range keysOf(was, is) {
			before, after := was.MapIndex(reflect.ValueOf(key)), is.MapIndex(reflect.ValueOf(key))
			if !before.IsValid() || !after.IsValid() {
				all = append(all, join(path, key))
				continue
			}
			all = append(all, differences(join(path, key), before, after)...)
		}
	case t.Kind() == reflect.Slice && was.Len() == 0 && is.Len() == 0:
	case !reflect.DeepEqual(was.Interface(), is.Interface()):
		all = append(all, path)
	}
	return all
}

// keysOf returns the keys of both maps, each once and sorted.
func keysOf(was, is reflect.Value) []string {
	keys := map[string]bool{}
	for _, one := range []reflect.Value{was, is} {
		for _, key := range one.MapKeys() {
			keys[key.String()] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}
