package config

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
)

const envPrefix = "PORTICO_"

// A variable is a setting that the environment may give.
type variable struct {
	keys []string // the setting's path
	list bool     // its value is split at commas
}

// override lays the environment over the tree. An empty variable counts as not set.
func override(root *node, environ []string, v *verdict) {
	known := map[string][]variable{}
	variables(reflect.TypeFor[Config](), root, nil, known)
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || value == "" {
			continue
		}
		at := place{env: name}
		switch meant := known[name]; {
		case len(meant) == 1:
			root.give(meant[0], value, at)
		case len(meant) > 1:
			v.blame(at, "", "stands for both %s and %s; rename one", pathOf(meant[0].keys...), pathOf(meant[1].keys...))
		case !fromKubernetes(name, value):
			v.blame(at, "", "unknown setting%s", unknownVariable(name, known))
		}
	}
}

// variables collects the names of all settings below t. Maps count with the keys that the file has:
// the environment makes no new sites. Lists of mappings have no names.
func variables(t reflect.Type, n *node, keys []string, into map[string][]variable) {
	name := envName(keys)
	switch {
	case isLeaf(t):
		into[name] = append(into[name], variable{keys: keys})
	case t.Kind() == reflect.Slice && isLeaf(t.Elem()):
		into[name] = append(into[name], variable{keys: keys, list: true})
	case t.Kind() == reflect.Struct:
		for _, field := range fieldsOf(t) {
			variables(field.Type, n.field(field.name), with(keys, field.name), into)
		}
	case t.Kind() == reflect.Map && n != nil && n.shape == mapping:
		for _, key := range n.keys {
			variables(t.Elem(), n.fields[key], with(keys, key), into)
		}
	}
}

// with returns a copy of keys with one more.
func with(keys []string, key string) []string { return append(slices.Clone(keys), key) }

// field returns the field of a mapping, nil if there is none.
func (n *node) field(key string) *node {
	if n == nil {
		return nil
	}
	return n.fields[key]
}

var notInEnv = regexp.MustCompile(`[^A-Z0-9]`)

// envName returns the variable that gives the setting with this path.
func envName(keys []string) string {
	return envPrefix + notInEnv.ReplaceAllString(strings.ToUpper(strings.Join(keys, "_")), "_")
}

// give puts a value at its place below n, in place of what stood there.
func (n *node) give(target variable, value string, at place) {
	last := len(target.keys) - 1
	for _, key := range target.keys[:last] {
		next := n.fields[key]
		if next == nil || next.shape == nothing {
			next = newMapping(at)
			n.set(key, next)
		}
		if next.shape != mapping {
			return // a fault of its own once it is decoded
		}
		n = next
	}
	given := &node{shape: scalar, text: value, at: at}
	if target.list {
		given = &node{shape: list, at: at}
		for entry := range strings.SplitSeq(value, ",") {
			given.items = append(given.items, &node{shape: scalar, text: strings.TrimSpace(entry), at: at})
		}
	}
	n.set(target.keys[last], given)
}

// unknownVariable ends the fault of a variable that is none.
func unknownVariable(name string, known map[string][]variable) string {
	var words []string // without what all share, which would make any two alike
	for _, word := range sorted(known) {
		words = append(words, strings.TrimPrefix(word, envPrefix))
	}
	if meant := closest(strings.TrimPrefix(name, envPrefix), words); meant != "" {
		return "; did you mean " + envPrefix + meant + "?"
	}
	return "; variables are PORTICO_ and the path of a setting, such as PORTICO_CACHE_MAX_BYTES; sites must stand in the file"
}

var (
	serviceVariable = regexp.MustCompile(`_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$`)
	portVariable    = regexp.MustCompile(`_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$`)
)

// fromKubernetes reports whether a variable is one that every container gets for a service called
// portico, or portico-something. Without this Portico would not start beside its own service.
//
// Source: Kubernetes, Service, environment variables.
func fromKubernetes(name, value string) bool {
	if serviceVariable.MatchString(name) {
		return true
	}
	port := portVariable.FindStringSubmatch(name)
	if port == nil {
		return false
	}
	return port[1] != "" || strings.Contains(value, "://") // PORTICO_PORT=8080 is an operator's slip
}
