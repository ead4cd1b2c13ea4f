package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each file of testdata/bad begins with the messages it must be refused with, all of them and in
// order, and the environment to read it in:
//
//	# env: PORTICO_LISTN=:80
//	# want: PORTICO_LISTN: unknown setting; did you mean PORTICO_LISTEN?
//
// They are held to the whole schema, so they stay right whatever this version serves.
func TestBadFiles(t *testing.T) {
	t.Chdir(filepath.Join("testdata", "bad"))
	for _, name := range yamlFiles(t) {
		t.Run(strings.ReplaceAll(strings.TrimSuffix(name, ".yaml"), "-", " "), func(t *testing.T) {
			data := read(t, name)
			_, v := parse(marked(data, "env"), Document{name, data})
			compareMessages(t, v.err(), marked(data, "want"))
		})
	}
}

// Each file of testdata/warned is accepted, with the warnings it begins with.
func TestWarnedFiles(t *testing.T) {
	t.Chdir(filepath.Join("testdata", "warned"))
	for _, name := range yamlFiles(t) {
		t.Run(strings.ReplaceAll(strings.TrimSuffix(name, ".yaml"), "-", " "), func(t *testing.T) {
			data := read(t, name)
			c, v := parse(marked(data, "env"), Document{name, data})
			c, err := seal(c, v)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(marked(data, "want"), c.Warnings); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

// yamlFiles lists the YAML files of the working directory.
func yamlFiles(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	return names
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// marked returns the texts of the comment lines "# mark: text" at the top of a file.
func marked(data []byte, mark string) []string {
	var texts []string
	for line := range strings.Lines(string(data)) {
		text, ok := strings.CutPrefix(line, "# "+mark+": ")
		if ok {
			texts = append(texts, strings.TrimRight(text, "\n"))
		}
	}
	return texts
}

// compareMessages holds an error to the messages joined in it.
func compareMessages(t *testing.T, err error, want []string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if diff := cmp.Diff(strings.Join(want, "\n"), got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}
