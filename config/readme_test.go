package config

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// tableRow is a row of the table: key, type, default.
var tableRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\| ([^|]+) \\| [^|]+ \\|$")

// TestReadmeListsEveryKey holds the table to the structs, in both directions and in their order.
func TestReadmeListsEveryKey(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range tableRow.FindAllStringSubmatch(string(readme), -1) {
		got = append(got, strings.Join(row[1:], " | "))
	}
	c := Default()
	var site Site // with the defaults of both kinds
	for _, kind := range []Kind{ICWS, HTCC} {
		site.Kind = kind
		site.complete("")
	}
	site.Kind = ""
	site.Channels = nil // its row is that of each channel
	c.Sites = map[string]Site{"<name>": site}
	if diff := cmp.Diff(rows("", reflect.ValueOf(*c), ""), got); diff != "" {
		t.Errorf("README.md (-structs +table):\n%s", diff)
	}
}

var plural = map[string]string{"text": "text", "network": "networks"}

// rows returns the table's rows for all keys below a value; names are those of map keys, with
// commas between levels.
func rows(path string, value reflect.Value, names string) []string {
	t := value.Type()
	switch {
	case isLeaf(t):
		return []string{path + " | " + typeName(t) + " | " + defaultText(value)}
	case t.Kind() == reflect.Slice && isLeaf(t.Elem()):
		return []string{path + " | list of " + plural[typeName(t.Elem())] + " | " + defaultList(value)}
	case t.Kind() == reflect.Slice:
		return rows(path+"[]", reflect.Zero(t.Elem()), "")
	case t.Kind() == reflect.Map:
		name, deeper, _ := strings.Cut(names, ",")
		elem := reflect.Zero(t.Elem())
		for _, key := range value.MapKeys() {
			elem = value.MapIndex(key)
		}
		return rows(path+".<"+name+">", elem, deeper)
	}
	var all []string
	for _, f := range fieldsOf(t) {
		below := strings.TrimPrefix(path+"."+f.name, ".")
		all = append(all, rows(below, value.FieldByIndex(f.Index), f.Tag.Get("key"))...)
	}
	return all
}

func defaultList(list reflect.Value) string {
	var items []string
	for i := range list.Len() {
		items = append(items, "`"+list.Index(i).String()+"`")
	}
	if len(items) == 0 {
		return "-"
	}
	return strings.Join(items, ", ")
}

func typeName(t reflect.Type) string {
	switch {
	case t == durationType:
		return "duration"
	case t == bytesType:
		return "size"
	case t == countType:
		return "number"
	case t == prefixType:
		return "network"
	case t == secretType:
		return "secret"
	case t.Implements(choiceType):
		return "`" + strings.Join(named(reflect.Zero(t).Interface().(choice)), "`, `") + "`"
	}
	return wanted(t)
}

// defaultText writes a default as the table does.
func defaultText(value reflect.Value) string {
	switch v := value.Interface().(type) {
	case bool:
		return fmt.Sprintf("`%v`", v)
	case time.Duration:
		text := v.String() // 1h0m0s
		if v%time.Minute == 0 {
			text = strings.TrimSuffix(text, "0s")
		}
		if v%time.Hour == 0 {
			text = strings.TrimSuffix(text, "0m")
		}
		return "`" + text + "`"
	}
	if value.IsZero() {
		return "-"
	}
	return fmt.Sprintf("`%v`", value)
}
