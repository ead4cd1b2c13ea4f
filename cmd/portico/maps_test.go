package main

import (
	"io/fs"
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

// TestListsOfWhatToAddNameWhatThereIs holds the lists of steps, "Adding a ...", to names that stand in the source.
func TestListsOfWhatToAddNameWhatThereIs(t *testing.T) {
	source := sourceWords(t)
	for _, page := range []string{"proxy/README.md", "dashboards/README.md"} {
		text, err := os.ReadFile(filepath.Join("../..", page))
		if err != nil {
			t.Fatal(err)
		}
		lists := 0
		for _, section := range strings.Split(string(text), "\n## ") {
			if !strings.HasPrefix(section, "Adding ") {
				continue
			}
			lists++
			for _, name := range regexp.MustCompile("`([A-Za-z.]+)`").FindAllStringSubmatch(section, -1) {
				for word := range strings.SplitSeq(name[1], ".") {
					if word != "" && !source[word] {
						t.Errorf("%s speaks of %s, which there is not", page, name[1])
					}
				}
			}
		}
		if lists == 0 {
			t.Errorf("%s has no list", page)
		}
	}
}

// sourceWords returns all words of the source.
func sourceWords(t *testing.T) map[string]bool {
	t.Helper()
	words := map[string]bool{}
	word := regexp.MustCompile(`[A-Za-z]+`)
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, one := range word.FindAll(text, -1) {
			words[string(one)] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return words
}
