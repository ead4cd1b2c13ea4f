package config

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const before = `
sites:
  a: {kind: icws, urls: ["https://ic1.example"], service: {user: watcher}, watch: service}
  b: {kind: htcc, urls: ["https://gws.example"]}
routes: [{match: "*", sites: [a]}]
states: {Lunch: {a: "At Lunch", b: OutToLunch}}
`

func TestChanges(t *testing.T) {
	for _, tt := range []struct {
		name       string
		old, new   string // replaced in before
		live, rest []string
	}{
		{"nothing", "", "", nil, nil},
		{"a comment and the order of keys", "{kind: htcc, urls: [\"https://gws.example\"]}", "{urls: [\"https://gws.example\"], kind: htcc} # GWS", nil, nil},
		{"an explicit default, and an empty list for none", "routes:", "drain_delay: 5s\ntrusted_proxies: []\nroutes:", nil, nil},
		{"a list is one setting", "routes:", "passthrough: [/api/v2]\nroutes:", []string{"passthrough"}, nil},
		{"what stands below a key", "routes:", "log: {level: debug}\nlimits: {requests: 7}\nroutes:", []string{"log.level", "limits.requests"}, nil},
		{"routes", "sites: [a]}", "sites: [b]}", []string{"routes"}, nil},
		{"a state that is new and one that is gone", "Lunch: {", "Break: {", []string{"states.Break", "states.Lunch"}, nil},
		{"a site's part in a state", ", b: OutToLunch", "", []string{"states.Lunch.b"}, nil},
		{"a key of a site", "urls: [\"https://gws.example\"]", "timeout: 3s, urls: [\"https://gws.example\"]", nil, []string{"sites.b.timeout"}},
		{"a site that is new", "  b:", "  c: {kind: htcc, urls: [\"https://gws.example\"]}\n  b:", nil, []string{"sites.c"}},
		{"both kinds", "routes:", "cache: {scope: shared, max_bytes: 1MiB}\nlisten: \":81\"\npublic_url: \"http://localhost:8080\"\nroutes:",
			[]string{"cache.max_bytes"}, []string{"listen", "cache.scope"}},
	} {
		was, is := parsed(t, before), parsed(t, strings.Replace(before, tt.old, tt.new, 1))
		live, rest := was.Changes(is)
		if diff := cmp.Diff([][]string{tt.live, tt.rest}, [][]string{live, rest}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestASecretThatChangedIsAChange(t *testing.T) {
	was, is := parsed(t, before, "PORTICO_SITES_A_SERVICE_PASSWORD=old"), parsed(t, before, "PORTICO_SITES_A_SERVICE_PASSWORD=new")
	live, rest := was.Changes(is)
	if live != nil || !slices.Equal(rest, []string{"sites.a.service.password"}) {
		t.Errorf("Changes = %v, %v; want the password to need a restart", live, rest)
	}
}

// parsed reads settings; without a password among the variables, the service user has one.
func parsed(t *testing.T, text string, environ ...string) *Config {
	t.Helper()
	c, err := Parse("portico.yaml", []byte(text), append([]string{"PORTICO_SITES_A_SERVICE_PASSWORD=x"}, environ...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestReadmeTellsWhatTakesEffectAtAReload holds README.md to the list, and the list to the keys.
func TestReadmeTellsWhatTakesEffectAtAReload(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(readme), "take effect at a reload:\n")
	paragraph, _, _ := strings.Cut(after, "\n\n")
	var told []string
	for _, key := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(paragraph, -1) {
		told = append(told, key[1])
	}
	if diff := cmp.Diff(live, told); diff != "" {
		t.Errorf("README.md (-list +told):\n%s", diff)
	}
	c := Default()
	c.Sites = map[string]Site{"<name>": {}}
	keys := rows("", reflect.ValueOf(*c), "")
	for _, key := range live {
		if !slices.ContainsFunc(keys, func(row string) bool {
			path, _, _ := strings.Cut(row, " | ")
			return isAt(strings.ReplaceAll(path, "[]", ""), key)
		}) {
			t.Errorf("%s takes effect at a reload, and is no key", key)
		}
	}
}
