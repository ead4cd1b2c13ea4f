package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

type shape int

const (
	nothing shape = iota // a key without a value
	scalar
	list
	mapping
)

// A node is one value of a settings file or an environment variable, before anybody knows what it
// is for. It is YAML without anchors, tags, merge keys, and keys given twice.
type node struct {
	shape  shape
	tag    string // of a scalar: YAML's, such as "!!int"; "" in the environment, which knows no types
	text   string // of a scalar
	items  []*node
	keys   []string // in the order of the file
	fields map[string]*node
	at     place
}

func newMapping(at place) *node {
	return &node{shape: mapping, fields: map[string]*node{}, at: at}
}

// set adds or replaces a field.
func (n *node) set(key string, value *node) {
	if n.fields[key] == nil {
		n.keys = append(n.keys, key)
	}
	n.fields[key] = value
}

// maxFile is the longest settings file, in bytes.
const maxFile = 1 << 20

// readTree reads one YAML document. What it cannot read goes to the verdict; it returns nil when
// nothing is left to look at.
func readTree(name string, data []byte, v *verdict) *node {
	top := place{file: name, line: 1}
	if len(data) > maxFile {
		v.blame(place{file: name}, "", "is longer than %s", Bytes(maxFile))
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		v.blame(top, "", "is empty; settings need at least sites and routes")
		return nil
	}
	if err != nil {
		v.blameSyntax(name, data, err)
		return nil
	}
	var second yaml.Node
	err = decoder.Decode(&second)
	if err == nil {
		v.blame(place{file: name, line: second.Line}, "", "a second document begins here; settings are one")
		return nil
	}
	if !errors.Is(err, io.EOF) {
		v.blameSyntax(name, data, err)
		return nil
	}
	root := convert(document.Content[0], place{file: name, line: document.Content[0].Line}, "", v)
	switch root.shape {
	case mapping:
		return root
	case nothing:
		v.blame(top, "", "is empty; settings need at least sites and routes")
	default:
		v.blame(root.at, "", "%s; settings are a mapping of keys such as sites and routes", root.describe())
	}
	return nil
}

// convert makes a node of YAML's. at is the place of its key, where it has one.
func convert(y *yaml.Node, at place, path string, v *verdict) *node {
	n := &node{at: at}
	if y.Anchor != "" || y.Kind == yaml.AliasNode {
		v.blame(at, path, "anchors and aliases are not supported; write the value out")
		v.broken[path] = true
		return n
	}
	if y.Style&yaml.TaggedStyle != 0 {
		v.blame(at, path, "the tag %q is not supported; leave it out", y.Tag)
		v.broken[path] = true
		return n
	}
	switch y.Kind {
	case yaml.MappingNode:
		n.shape, n.fields = mapping, map[string]*node{}
		for i := 0; i+1 < len(y.Content); i += 2 {
			n.convertField(y.Content[i], y.Content[i+1], path, v)
		}
	case yaml.SequenceNode:
		n.shape = list
		for i, entry := range y.Content {
			n.items = append(n.items, convert(entry, place{file: at.file, line: entry.Line}, item(path, i), v))
		}
	case yaml.ScalarNode:
		if y.ShortTag() != "!!null" {
			n.shape, n.tag, n.text = scalar, y.ShortTag(), y.Value
		}
	}
	return n
}

func (n *node) convertField(key, value *yaml.Node, path string, v *verdict) {
	at := place{file: n.at.file, line: key.Line}
	switch {
	case key.Kind != yaml.ScalarNode || key.Anchor != "" || key.ShortTag() == "!!null":
		v.blame(at, path, "a key here is not plain text; write keys as words")
		return
	case key.ShortTag() == "!!merge":
		v.blame(at, path, "merge keys are not supported; write the values out")
		return
	}
	below := join(path, key.Value)
	if first, twice := n.fields[key.Value]; twice {
		v.blame(at, below, "is given twice, first in line %d; keep one", first.at.line)
		return
	}
	n.set(key.Value, convert(value, at, below, v))
}

// describe says what was found, without its text: that may be a secret in the wrong place.
func (n *node) describe() string {
	switch n.shape {
	case nothing:
		return "has no value"
	case list:
		return "is a list"
	case mapping:
		return "is a mapping"
	}
	switch n.tag {
	case "!!int", "!!float":
		return "is a number"
	case "!!bool":
		return "is true or false"
	case "!!timestamp":
		return "is a date"
	default:
		return "is text"
	}
}

// syntaxError is how the YAML library words one; the line may be missing.
var syntaxError = regexp.MustCompile(`(?s)^yaml: (?:line (\d+): )?(.*)$`)

// blameSyntax adds the fault of a text that is no YAML.
func (v *verdict) blameSyntax(name string, data []byte, err error) {
	at, text := place{file: name}, err.Error()
	at.line = notUTF8(data)
	if at.line != 0 {
		v.blame(at, "", "is not UTF-8; save the file as that")
		return
	}
	if parts := syntaxError.FindStringSubmatch(text); parts != nil {
		at.line, _ = strconv.Atoi(parts[1]) // 0 where there is none
		text = parts[2]
	}
	if line := tabIndent(data, at.line); line != 0 {
		at.line = line
		text = "a tab indents this line; use spaces"
	}
	v.blame(at, "", "is not YAML: %s", text)
}

// notUTF8 returns the first line that is not UTF-8, 0 if there is none. UTF-16 is YAML as well, if it begins with its mark.
func notUTF8(data []byte) int {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return 0
	}
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if !utf8.Valid(text) {
			return line
		}
	}
	return 0
}

// tabIndent returns the line near the one given that is indented by a tab, 0 if there is none. The
// library is off by one about some errors.
func tabIndent(data []byte, near int) int {
	lines := strings.Split(string(data), "\n")
	for line := max(1, near-1); line <= min(near+1, len(lines)); line++ {
		if strings.HasPrefix(strings.TrimLeft(lines[line-1], " "), "\t") {
			return line
		}
	}
	return 0
}
