package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A place is where a setting was given: a line of a file, or an environment variable.
type place struct {
	file string
	line int // 0 where no line is to blame
	env  string
}

func (p place) String() string {
	switch {
	case p.env != "":
		return p.env
	case p.line == 0:
		return p.file
	default:
		return p.file + ":" + strconv.Itoa(p.line)
	}
}

// A fault is one thing wrong with the settings. Path is empty where it is about no single one.
type fault struct {
	at         place
	path, text string
}

// Error says where, what is wrong, and what would be right.
func (f fault) Error() string {
	if f.path == "" {
		return fmt.Sprintf("%s: %s", f.at, f.text)
	}
	return fmt.Sprintf("%s: %s: %s", f.at, f.path, f.text)
}

// A verdict collects what is wrong with settings while they are read.
type verdict struct {
	places   map[string]place // of every setting given, by path; "" is the whole
	broken   map[string]bool  // paths that could not be read: what follows from that is not reported
	faults   []fault
	warnings []fault
}

func newVerdict() *verdict {
	return &verdict{places: map[string]place{}, broken: map[string]bool{}}
}

// blame adds a fault at a place known only to the caller.
func (v *verdict) blame(at place, path, format string, args ...any) {
	v.faults = append(v.faults, fault{at, path, fmt.Sprintf(format, args...)})
}

// reject adds a fault of a setting that could not be read.
func (v *verdict) reject(path, format string, args ...any) {
	v.blame(v.at(path), path, format, args...)
	v.broken[path] = true
}

// fault adds a fault, unless the setting could not be read in the first place.
func (v *verdict) fault(path, format string, args ...any) {
	if !v.unread(path) {
		v.blame(v.at(path), path, format, args...)
	}
}

// warn adds what is allowed but rarely meant.
func (v *verdict) warn(path, format string, args ...any) {
	if !v.unread(path) {
		v.warnings = append(v.warnings, fault{v.at(path), path, fmt.Sprintf(format, args...)})
	}
}

// given reports whether the file or the environment holds the setting.
func (v *verdict) given(path string) bool {
	_, ok := v.places[path]
	return ok
}

// secretAt returns which setting is to blame for a secret: itself, if a variable holds it, else the one that names
// its file.
func (v *verdict) secretAt(path string) string {
	if v.given(path) {
		return path
	}
	return path + "_file"
}

// unread reports whether the setting, or one it is part of, could not be read.
func (v *verdict) unread(path string) bool {
	for ; path != ""; path = parent(path) {
		if v.broken[path] {
			return true
		}
	}
	return v.broken[""]
}

// at returns the place of a setting, or of what it would be part of.
func (v *verdict) at(path string) place {
	for !v.given(path) && path != "" {
		path = parent(path)
	}
	return v.places[path]
}

// err joins all faults in the order of the file; nil if there are none.
func (v *verdict) err() error {
	slices.SortStableFunc(v.faults, inOrder)
	var all []error
	for _, f := range v.faults {
		all = append(all, f)
	}
	return errors.Join(all...)
}

// inOrder sorts by file and line, the environment last.
func inOrder(a, b fault) int {
	return cmp.Or(
		cmp.Compare(a.at.env, b.at.env),
		cmp.Compare(a.at.file, b.at.file),
		cmp.Compare(a.at.line, b.at.line),
	)
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// join returns the path of a key below path, quoted where it would not read as one word.
func join(path, key string) string {
	if !plainKey.MatchString(key) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// pathOf joins keys from the top.
func pathOf(keys ...string) string {
	path := ""
	for _, key := range keys {
		path = join(path, key)
	}
	return path
}

// item returns the path of the i-th entry of a list.
func item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}
