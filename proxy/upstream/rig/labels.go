package rig

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Labels holds a client's list of its calls' labels to the constants Op... of operations.go: one that is missing there
// has no series until it is counted.
func Labels(t *testing.T, listed []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "operations.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	ast.Inspect(file, func(n ast.Node) bool {
		constant, ok := n.(*ast.ValueSpec)
		if ok && strings.HasPrefix(constant.Names[0].Name, "Op") {
			label, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			named = append(named, label)
		}
		return true
	})
	if len(named) == 0 || !slices.Equal(named, listed) {
		t.Errorf("operations = %q; want the constants of operations.go in their order, %q", listed, named)
	}
}
