package htccapi

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"
)

// A name that is missing there may become that of a custom state too.
func TestReservedHasEachOperation(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "operation.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, isValue := n.(*ast.ValueSpec)
		if !isValue {
			return true
		}
		kind, named := spec.Type.(*ast.Ident)
		if !named || kind.Name != "Operation" {
			return true
		}
		for i, name := range spec.Names {
			found++
			literal := spec.Values[i].(*ast.BasicLit).Value
			if !slices.Contains(Reserved, Operation(literal[1:len(literal)-1])) {
				t.Errorf("%s is not among Reserved", name)
			}
		}
		return true
	})
	if found != len(Reserved) {
		t.Errorf("there are %d operations; Reserved has %d", found, len(Reserved))
	}
}
