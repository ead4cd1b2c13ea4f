package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rooms says which rooms of the house each may import, besides itself. What is not listed here is
// no room, and a room that imports another way has lost its charter.
var rooms = map[string][]string{
	"cmd/portico":            {"*"},
	"cmd/benchfleet":         {"cmd/internal/bench", "cmd/internal/fleet"},
	"cmd/benchhostile":       {"cmd/internal/bench"},
	"cmd/benchpeers":         {"cmd/internal/bench"},
	"cmd/benchpush":          {"cmd/internal/bench"},
	"cmd/internal/bench":     {},
	"cmd/internal/fleet":     {"cmd/internal/bench"},
	"cmd/loadmodel":          {"proxy/htcc/htccsim", "proxy/icws/icwssim", "translate/htccapi", "translate/icwsapi"},
	"config":                 {},
	"cache":                  {},
	"proxy/aside":            {},
	"proxy/clock":            {},
	"proxy/fault":            {},
	"proxy/session":          {},
	"proxy/states":           {"translate/htccapi"},
	"proxy/wishes":           {"proxy/session"},
	"proxy/throttle":         {},
	"proxy/logs":             {},
	"proxy/plainhttp":        {},
	"proxy/plainjson":        {},
	"proxy/quick":            {"proxy/plainhttp"},
	"proxy/tracing":          {},
	"proxy/store":            {"proxy/logs", "proxy/push", "proxy/session", "proxy/throttle", "cache"},
	"translate/htccapi":      {},
	"translate/icwsapi":      {},
	"translate":              {"translate/htccapi", "translate/icwsapi"},
	"proxy/upstream":         {"proxy/fault", "proxy/plainhttp", "proxy/tracing"},
	"proxy/upstream/memhttp": {},
	"proxy/upstream/rig":     {},
	"proxy/admin/inventory":  {},
	"proxy/simulation":       {},
	"proxy/icws":             {"proxy/plainjson", "proxy/fault", "proxy/upstream", "proxy/tracing", "translate/icwsapi"},
	"proxy/icws/icwssim":     {"translate/icwsapi", "proxy/simulation", "proxy/upstream/memhttp"},
	"proxy/push":             {"proxy/aside", "proxy/plainhttp", "proxy/plainjson"},
	"proxy/htcc":             {"proxy/fault", "proxy/upstream", "proxy/tracing", "translate/htccapi"},
	"proxy/htcc/htccsim":     {"translate/htccapi", "proxy/push", "proxy/simulation", "proxy/upstream/memhttp"},
	"proxy/native":           {"proxy/icws", "proxy/upstream", "cache", "proxy/session", "proxy/fault", "proxy/tracing", "translate/icwsapi"},
	"proxy/guesses":          {"proxy/throttle", "proxy/session", "proxy/fault"},
	"proxy/catalogues":       {"cache", "proxy/session", "translate", "translate/htccapi", "translate/icwsapi"},
	"proxy/watch":            {"proxy/catalogues", "proxy/clock", "proxy/icws", "proxy/upstream", "proxy/fault", "translate", "translate/icwsapi"},
	"proxy/gateway": {"proxy/aside", "proxy/catalogues", "proxy/clock", "proxy/guesses", "proxy/watch", "proxy/wishes", "proxy/logs", "proxy/native", "proxy/states", "proxy/htcc", "proxy/push", "proxy/icws", "proxy/upstream", "translate", "cache", "proxy/session", "proxy/throttle", "proxy/fault",
		"proxy/tracing", "translate/htccapi", "translate/icwsapi"},
	"proxy":       {"proxy/push", "proxy/quick", "proxy/plainhttp", "proxy/plainjson", "proxy/gateway", "proxy/native", "proxy/session", "proxy/throttle", "proxy/fault", "proxy/logs", "proxy/tracing", "translate", "translate/htccapi"},
	"proxy/admin": {"proxy/session", "cache", "proxy/gateway", "proxy/fault"},
	"dashboards":  {},
}

// onlyIn says which rooms alone may import a library.
var onlyIn = map[string][]string{
	"github.com/gin-gonic/gin":        {"proxy", "proxy/admin"},
	"github.com/dgraph-io/ristretto":  {"cache"},
	"go.yaml.in/yaml":                 {"config"},
	"github.com/failsafe-go/failsafe": {"proxy/upstream"},
	"github.com/rs/cors":              {"proxy"},
	"github.com/hashicorp/golang-lru": {"proxy/throttle"},
	"go.opentelemetry.io":             {"proxy/tracing"},
	"github.com/redis/go-redis":       {"proxy/store"},
}

const module = "portico/"

func TestImportsPointOneWay(t *testing.T) {
	for _, room := range listRooms(t) {
		name := strings.TrimPrefix(room.ImportPath, module)
		allowed, known := rooms[name]
		if !known {
			t.Errorf("%s is no room of the house: give it a place in this test and in README.md, or move it", name)
			continue
		}
		for _, path := range room.Imports {
			imported, ours := strings.CutPrefix(path, module)
			if ours && !slices.Contains(allowed, imported) && !slices.Contains(allowed, "*") {
				t.Errorf("%s imports %s; it may import %q", name, imported, allowed)
			}
			for library, homes := range onlyIn {
				if strings.HasPrefix(path, library) && !slices.Contains(homes, name) {
					t.Errorf("%s imports %s; only %q may", name, path, homes)
				}
			}
		}
		if room.Doc == "" {
			t.Errorf("%s has no package comment that says what it is for", name)
		}
	}
}

type goPackage struct {
	ImportPath string
	Doc        string
	Imports    []string
}

// listRooms returns the packages of the module as the go command sees them.
func listRooms(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Doc,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var one goPackage
		err = decoder.Decode(&one)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, one)
	}
}
