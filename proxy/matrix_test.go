package proxy

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
)

// TestFaultMatrix holds the table in FAULTS.md to what is: every fault of each kind of site, during each
// thing that agents do.
func TestFaultMatrix(t *testing.T) {
	expected := readMatrix(t)
	for i := range sides {
		at := &sides[i]
		for _, bad := range troubles[at.site] {
			for _, operation := range duties {
				row := at.site + " | " + bad.name + " | " + operation
				want, found := expected[row]
				delete(expected, row)
				if !found {
					t.Errorf("README.md has no row %q", row)
				}
				if want.reason() {
					continue
				}
				t.Run(strings.ReplaceAll(row, " | ", "/"), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						x := newTrial(t, at, &bad, operation)
						x.is(x.play(), want)
					})
				})
			}
		}
	}
	for row := range expected {
		t.Errorf("README.md has a row %q, of which there is no test", row)
	}
}

// duties are what agents do.
var duties = []string{"login", "read", "write", "stream", "catalogue"}

// A cells is what the README says of a fault during an operation.
type cells struct {
	gets    string // what the caller is answered; or, after a dash, why there is nothing to say
	within  string // at once, or the longest time that it takes
	calls   string // number of calls for the caller
	logins  string // number of times that the agent's password is sent until all is well
	breaker string
	after   string // what is shown, and held by the site, a minute after the fault
}

// reason says that the fault means nothing during the operation.
func (c cells) reason() bool { return strings.HasPrefix(c.gets, "—") }

// readMatrix returns the rows of FAULTS.md, by site, fault and operation.
func readMatrix(t *testing.T) map[string]cells {
	t.Helper()
	text, err := os.ReadFile("FAULTS.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]cells{}
	of := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		for _, at := range sides {
			if strings.HasPrefix(line, "#") && strings.HasSuffix(line, "`"+at.site+"`") {
				of = at.site
			}
		}
		cell := strings.Split(strings.Trim(line, "|"), "|")
		if len(cell) != 8 || !strings.HasPrefix(line, "|") {
			continue
		}
		for i := range cell {
			cell[i] = strings.TrimSpace(cell[i])
		}
		if cell[0] == "fault" || strings.HasPrefix(cell[0], "---") {
			continue
		}
		rows[of+" | "+cell[0]+" | "+cell[1]] = cells{cell[2], cell[3], cell[4], cell[5], cell[6], cell[7]}
	}
	return rows
}
