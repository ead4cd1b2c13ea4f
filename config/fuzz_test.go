package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzParse holds Parse to this: whatever the file and the environment say there is no panic, the
// verdict is the same each time, and settings that pass can be asked everything.
func FuzzParse(f *testing.F) {
	f.Add([]byte(Example), "PORTICO_SITES_PURECONNECT_TIMEOUT=1s")
	f.Add([]byte(small), "PORTICO_SITES_IC_URLS=https://a,https://b")
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "testdata/whole.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, strings.Join(marked(data, "env"), " "))
	}
	f.Fuzz(func(t *testing.T, data []byte, variable string) {
		environ := []string{variable}
		c, v := parse(environ, Document{"fuzz.yaml", data})
		_, again := parse(environ, Document{"fuzz.yaml", data})
		err := v.err()
		if text(err) != text(again.err()) {
			t.Fatalf("two verdicts:\n%v\n%v", err, again.err())
		}
		if _, err := ParseOver(Document{"base", []byte(small)}, Document{"fuzz.yaml", data}, environ); err != nil && text(err) == "" {
			t.Error("a fault without a text")
		}
		if err != nil {
			return
		}
		for _, site := range c.Sites {
			if len(site.Bases()) == 0 {
				t.Errorf("site %q passed without a base URL", site.Name)
			}
		}
		route, ok := c.RouteFor("anna@both.example")
		if ok && c.Sites[route.Sites[0]].Kind == "" {
			t.Errorf("a route leads to a site without a kind: %v", route)
		}
	})
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
