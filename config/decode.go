package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	secretType   = reflect.TypeFor[Secret]()
	durationType = reflect.TypeFor[time.Duration]()
	bytesType    = reflect.TypeFor[Bytes]()
	countType    = reflect.TypeFor[Count]()
	prefixType   = reflect.TypeFor[netip.Prefix]()
	choiceType   = reflect.TypeFor[choice]()
)

// A field is one key of a struct.
type field struct {
	reflect.StructField
	name string
}

// fieldsOf returns the keys of a struct in the order of its fields.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for f := range t.Fields() {
		if name := f.Tag.Get("yaml"); name != "-" {
			fields = append(fields, field{f, name})
		}
	}
	return fields
}

// isLeaf reports whether a value of this type is one word of YAML.
func isLeaf(t reflect.Type) bool {
	return t == secretType || t == prefixType ||
		slices.Contains([]reflect.Kind{reflect.String, reflect.Bool, reflect.Int64}, t.Kind())
}

// decode reads the tree into c. It goes on after a fault, so that one run finds them all.
func decode(root *node, c *Config, v *verdict) {
	decodeValue("", root, reflect.ValueOf(c).Elem(), "", v)
}

// decodeValue reads n into a value; tag is that of the struct field it belongs to.
func decodeValue(path string, n *node, into reflect.Value, tag reflect.StructTag, v *verdict) {
	v.places[path] = n.at
	t := into.Type()
	switch {
	case v.broken[path]:
	case isLeaf(t):
		decodeLeaf(path, n, into, tag, v)
	case n.shape == nothing: // "channels:" alone gives nothing: the defaults stay
	case t.Kind() == reflect.Slice && n.shape == list:
		decodeList(path, n, into, v)
	case t.Kind() == reflect.Map && n.shape == mapping:
		decodeMap(path, n, into, v)
	case t.Kind() == reflect.Struct && n.shape == mapping:
		decodeStruct(path, n, into, v)
	default:
		v.reject(path, "%s; want %s", n.describe(), wanted(t))
	}
}

func decodeList(path string, n *node, into reflect.Value, v *verdict) {
	into.Set(reflect.MakeSlice(into.Type(), len(n.items), len(n.items)))
	for i, entry := range n.items {
		decodeValue(item(path, i), entry, into.Index(i), "", v)
	}
}

func decodeMap(path string, n *node, into reflect.Value, v *verdict) {
	into.Set(reflect.MakeMap(into.Type()))
	for _, key := range n.keys {
		value := reflect.New(into.Type().Elem()).Elem()
		decodeValue(join(path, key), n.fields[key], value, "", v)
		into.SetMapIndex(reflect.ValueOf(key), value)
	}
}

func decodeStruct(path string, n *node, into reflect.Value, v *verdict) {
	fields := fieldsOf(into.Type())
	var known []string
	for _, f := range fields {
		if f.Type != secretType {
			known = append(known, f.name)
		}
	}
	for _, key := range n.keys {
		below, value := join(path, key), n.fields[key]
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == key })
		switch {
		case at < 0 && v.broken[below]:
		case at < 0:
			v.blame(value.at, below, "unknown key%s", hint(key, known))
			if meant := closest(key, known); meant != "" {
				v.broken[join(path, meant)] = true // nor is it missing
			}
		case fields[at].Type == secretType && value.at.env == "":
			v.blame(value.at, below, "unknown key; a secret stands in a file of its own, named by %s_file, or in the environment", key)
			v.broken[below+"_file"] = true // nor is it missing
		default:
			decodeValue(below, value, into.FieldByIndex(fields[at].Index), fields[at].Tag, v)
		}
	}
}

// decodeLeaf reads one word.
func decodeLeaf(path string, n *node, into reflect.Value, tag reflect.StructTag, v *verdict) {
	t := into.Type()
	choice, limited := into.Interface().(choice)
	switch {
	case n.shape != scalar:
		v.reject(path, "%s; want %s", n.describe(), wanted(t))
	case t == durationType:
		decodeDuration(path, n, into, tag, v)
	case t == bytesType:
		decodeBytes(path, n, into, tag, v)
	case t == countType:
		decodeCount(path, n, into, tag, v)
	case t == prefixType:
		decodePrefix(path, n, into, v)
	case t == secretType:
		into.Set(reflect.ValueOf(NewSecret(n.text)))
	case t.Kind() == reflect.Bool:
		decodeBool(path, n, into, v)
	case limited && !slices.Contains(choice.choices(), n.text):
		v.reject(path, "%q is not known%s", n.text, hint(n.text, named(choice)))
	case n.text == "" && !limited:
		v.reject(path, "is empty; give a value or leave it out")
	case n.tag != "" && n.tag != "!!str":
		v.reject(path, "%s; want text: write it in quotes", n.describe())
	default:
		into.SetString(n.text)
	}
}

func decodeDuration(path string, n *node, into reflect.Value, tag reflect.StructTag, v *verdict) {
	d, err := time.ParseDuration(n.text)
	if err != nil {
		v.reject(path, "%q is not a duration; write a number and a unit, such as 90s, 5m or 1h30m", n.text)
		return
	}
	shortest, longest := bounds(tag, time.ParseDuration)
	if d < shortest || d > longest {
		v.reject(path, "%s is out of range; want %s to %s", n.text, tag.Get("min"), tag.Get("max"))
		return
	}
	into.SetInt(int64(d))
}

func decodeBytes(path string, n *node, into reflect.Value, tag reflect.StructTag, v *verdict) {
	b, err := parseBytes(n.text)
	if err != nil {
		v.reject(path, "%q is not a size; %v", n.text, err)
		return
	}
	smallest, largest := bounds(tag, parseBytes)
	if b < smallest || b > largest {
		v.reject(path, "%s is out of range; want %s to %s", b, smallest, largest)
		return
	}
	into.SetInt(int64(b))
}

func decodeCount(path string, n *node, into reflect.Value, tag reflect.StructTag, v *verdict) {
	count, err := parseCount(n.text)
	if err != nil {
		v.reject(path, "%q is not a whole number", n.text)
		return
	}
	least, most := bounds(tag, parseCount)
	if count < least || count > most {
		v.reject(path, "%d is out of range; want %d to %d", count, least, most)
		return
	}
	into.SetInt(int64(count))
}

// bounds reads the smallest and largest value allowed off a struct tag.
func bounds[T any](tag reflect.StructTag, parse func(string) (T, error)) (T, T) {
	smallest, err1 := parse(tag.Get("min"))
	largest, err2 := parse(tag.Get("max"))
	if err1 != nil || err2 != nil {
		panic(fmt.Sprintf("config: our own bug: bounds %q", tag))
	}
	return smallest, largest
}

// zoneForm is the zone of an IPv6 address.
var zoneForm = regexp.MustCompile(`%[^/]+`)

// mappedBits are what stands before an IPv4 address that is written as IPv6.
const mappedBits = 96

func decodePrefix(path string, n *node, into reflect.Value, v *verdict) {
	if zone := zoneForm.FindString(n.text); zone != "" {
		v.reject(path, "%q has a zone, and networks have none; leave out %s", n.text, zone)
		return
	}
	if address, err := netip.ParseAddr(n.text); err == nil {
		address = address.Unmap()
		v.reject(path, "%q is one address; write %s/%d", n.text, address, address.BitLen())
		return
	}
	prefix, err := netip.ParsePrefix(n.text)
	if err != nil {
		v.reject(path, "%q is not a network; want one such as 10.0.0.0/8", n.text)
		return
	}
	if prefix.Addr().Is4In6() && prefix.Bits() >= mappedBits { // peers are looked for as IPv4
		plain := netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mappedBits).Masked()
		v.reject(path, "%q is a network of IPv4; write %q", n.text, plain)
		return
	}
	if prefix != prefix.Masked() {
		v.reject(path, "%q has bits beyond its length; did you mean %q?", n.text, prefix.Masked())
		return
	}
	into.Set(reflect.ValueOf(prefix))
}

func decodeBool(path string, n *node, into reflect.Value, v *verdict) {
	if n.text != "true" && n.text != "false" {
		v.reject(path, "%q is neither true nor false", n.text)
		return
	}
	into.SetBool(n.text == "true")
}

// named returns the choices without the empty one, which is no word to suggest.
func named(c choice) []string {
	return slices.DeleteFunc(c.choices(), func(word string) bool { return word == "" })
}

// wanted says what a value of this type is written as.
func wanted(t reflect.Type) string {
	switch {
	case t == durationType:
		return "a duration such as 30s"
	case t == bytesType:
		return "a size such as 64MiB"
	case t == countType:
		return "a whole number"
	case t == prefixType:
		return "a network such as 10.0.0.0/8"
	case t.Implements(choiceType):
		return "one of " + strings.Join(named(reflect.Zero(t).Interface().(choice)), ", ")
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Map:
		return "a mapping"
	case reflect.Struct:
		var names []string
		for _, f := range fieldsOf(t) {
			if f.Type != secretType {
				names = append(names, f.name)
			}
		}
		return "a mapping of " + strings.Join(names, ", ")
	default:
		return "text"
	}
}
