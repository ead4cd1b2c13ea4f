package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// maps are rooms of so many files that a page says where what is.
var maps = []string{"proxy", "proxy/catalogues", "proxy/gateway", "proxy/push", "proxy/quick", "proxy/upstream"}

// TestMapsNameEachFile holds the page of a room, README.md or else doc.go, to the files that there are.
func TestMapsNameEachFile(t *testing.T) {
	for _, room := range maps {
		dir := filepath.Join("../..", room)
		text, err := os.ReadFile(filepath.Join(dir, "README.md"))
		if err != nil {
			text, err = os.ReadFile(filepath.Join(dir, "doc.go"))
		}
		if err != nil {
			t.Fatal(err)
		}
		named := map[string]bool{"doc.go": true}
		for _, name := range regexp.MustCompile(`[a-z_]+\.go\b`).FindAllString(string(text), -1) {
			named[name] = true
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name := filepath.Base(file)
			if !named[name] && !strings.HasSuffix(name, "_test.go") {
				t.Errorf("the page of %s does not say what is in %s", room, name)
			}
			delete(named, name)
		}
		delete(named, "doc.go") // not every room has one
		for name := range named {
			t.Errorf("the page of %s names %s, which there is not", room, name)
		}
	}
}
