package simulation

import (
	"strings"
	"testing"
	"time"
)

var repertoire = Repertoire{
	Scenarios: []string{"storm", "hang"}, Answering: []string{"hang"},
	Routes: []string{"POST /a", "GET /a", "GET /a/{id}", "GET /a"},
}

func TestFaultsHitTheirCalls(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault Fault
		want  bool
	}{
		{"any call", Fault{Status: 500}, true},
		{"any route", Fault{Route: "*", Status: 500}, true},
		{"the route", Fault{Route: "GET /a/{id}", Status: 500}, true},
		{"the route, its parameter under another name", Fault{Route: " get  /a/{x} ", Status: 500}, true},
		{"the path, whatever the method", Fault{Route: "/a/{id}", Status: 500}, true},
		{"another method", Fault{Route: "POST /a/{id}", Status: 500}, false},
		{"another path", Fault{Route: "GET /a", Status: 500}, false},
		{"the path in other letters", Fault{Route: "GET /A/{id}", Status: 500}, false},
		{"the user", Fault{User: "ANNA", Status: 500}, true},
		{"another user", Fault{User: "cleo", Status: 500}, false},
		{"the host", Fault{Host: "One.example", Status: 500}, true},
		{"another host", Fault{Host: "two.example", Status: 500}, false},
		{"a scenario that changes answers", Fault{Scenario: "hang"}, true},
		{"a scenario that does not", Fault{Scenario: "storm"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var faults Faults
			faults.Arm(test.fault)
			got := faults.TakeFor(&repertoire, "anna", "one.example", "GET", "/a/{id}")
			if (got != nil) != test.want {
				t.Errorf("TakeFor = %v; want one: %v", got, test.want)
			}
		})
	}
}

func TestCaseMattersUnlessItIsIgnored(t *testing.T) {
	lenient := repertoire
	lenient.IgnoreCase = true
	var faults Faults
	faults.Arm(Fault{Route: "GET /A/{id}", Status: 500})
	if faults.TakeFor(&lenient, "", "", "GET", "/a/{id}") == nil {
		t.Error("TakeFor with IgnoreCase = nil; want the fault")
	}
}

func TestFaultsAreTakenInOrderAndSoManyTimes(t *testing.T) {
	var faults Faults
	faults.Arm(Fault{Scenario: "storm", User: "anna", Reason: "first", Times: 2})
	faults.Arm(Fault{Scenario: "storm", Reason: "second"})
	for _, want := range []string{"first", "first", "second", "second"} {
		if got := faults.Take("storm", "anna", ""); got == nil || got.Reason != want {
			t.Errorf("Take = %v; want the %s", got, want)
		}
	}
	if got := faults.Take("hang", "anna", ""); got != nil {
		t.Errorf("Take of another scenario = %v; want nil", got)
	}
	faults.Clear()
	if got := faults.Take("storm", "anna", ""); got != nil {
		t.Errorf("Take after Clear = %v; want nil", got)
	}
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault Fault
		want  string // what the error begins with; empty: none
	}{
		{"a delay", Fault{Delay: time.Second}, ""},
		{"a scenario on any route", Fault{Scenario: "storm", Route: "*"}, ""},
		{"a path with any method", Fault{Route: "/a", Status: 500}, ""},
		{"nothing", Fault{Route: "/a", Times: 3, After: true}, "the fault changes nothing"},
		{"an unknown scenario", Fault{Scenario: "calm"}, `unknown scenario "calm": want one of storm, hang`},
		{"no status", Fault{Status: 600}, "fault status 600: want 200 to 599"},
		{"a negative delay", Fault{Delay: -1}, "fault delay -1ns, times 0: want no negative numbers"},
		{"an unknown route", Fault{Status: 500, Route: "PUT /a"}, "unknown route \"PUT /a\": want *, or one of\nGET /a\nGET /a/{id}\nPOST /a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := repertoire.Check(test.fault)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
				t.Errorf("Check = %v; want %q", err, test.want)
			}
		})
	}
}
