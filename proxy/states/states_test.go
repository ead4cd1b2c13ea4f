package states

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"portico/translate/htccapi"
)

// stateOf returns a custom state that is called by one word, but for its display name.
func stateOf(id, display, kind string) State {
	setting := htccapi.AgentStateSetting{ID: "id-" + id, OperationName: htccapi.Operation(id), State: kind, Reason: "r-" + id, DisplayName: display}
	return State{AgentStateSetting: setting, Body: "whole " + id}
}

var (
	ready    = State{AgentStateSetting: htccapi.SettingReady, Body: "whole Ready"}
	notReady = State{AgentStateSetting: htccapi.SettingNotReady, Body: "whole NotReady"}

	pureConnect = Site{"pureconnect", []State{ready, notReady, stateOf("AtLunch", "At Lunch", htccapi.StateNotReady), stateOf("AtPlay", "At Play", htccapi.StateNotReady)}}
	cloud       = Site{"cloud", []State{ready, notReady, stateOf("OutToLunch", "Out to Lunch", htccapi.StateNotReady), stateOf("Overtime", "Overtime", htccapi.StateReady)}}
	both        = []Site{pureConnect, cloud}

	lunch = Table{"Lunch": {"pureconnect": "At Lunch", "cloud": "OutToLunch"}}
)

func TestFind(t *testing.T) {
	for _, c := range []struct {
		name  string
		table Table
		op    htccapi.Operation
		want  string // operationName
	}{
		{"by operationName", nil, "AtLunch", "AtLunch"},
		{"by id", nil, "id-AtLunch", "AtLunch"},
		{"by reason", nil, "r-AtLunch", "AtLunch"},
		{"by display name", nil, "At Lunch", "AtLunch"},
		{"ignoring case", nil, "at lunch", "AtLunch"},
		{"by the table's name", lunch, "Lunch", "AtLunch"},
		{"the table's name is taken as it is written", lunch, "lunch", ""},
		{"a name that the table gives at another site alone", Table{"AtLunch": {"cloud": "OutToLunch"}}, "AtLunch", ""},
		{"a name of the table for what the site has not", Table{"AtLunch": {"pureconnect": "Siesta"}}, "AtLunch", ""},
		{"an operationName before the display name of another", Table{"Out": {"pureconnect": "AtPlay"}}, "Out", "AtPlay"},
		{"what no state is called", nil, "Siesta", ""},
		{"nothing", nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, found := c.table.Find(c.op, pureConnect)
			if string(got.OperationName) != c.want || found != (c.want != "") {
				t.Errorf("Find(%q) = %q, %v; want %q", c.op, got.OperationName, found, c.want)
			}
		})
	}
}

func TestOffered(t *testing.T) {
	for _, c := range []struct {
		name  string
		table Table
		sites []Site
		want  string
	}{
		{"the states of one site, as it orders them", nil, []Site{pureConnect}, "Ready NotReady AtLunch AtPlay"},
		{"those of two, of one name the first", nil, both, "Ready NotReady AtLunch AtPlay OutToLunch Overtime"},
		{"a name of the table first, in place of theirs", lunch, both, "Lunch Ready NotReady AtPlay Overtime"},
		{"a state of the table that one site has", lunch, []Site{cloud}, "Lunch Ready NotReady Overtime"},
		{"a system state keeps its own name too", Table{"Away": {"cloud": "NotReady"}}, []Site{cloud}, "Away Ready NotReady OutToLunch Overtime"},
		{"names of the table in a fixed order", Table{"Play": {"pureconnect": "AtPlay"}, "Lunch": lunch["Lunch"]}, both, "Lunch Play Ready NotReady Overtime"},
		{"names that differ in case are one", Table{"ready": {"cloud": "Overtime"}}, []Site{cloud}, "ready NotReady OutToLunch"},
		{"a site that could not tell", nil, []Site{pureConnect, {Name: "cloud"}}, "Ready NotReady AtLunch AtPlay"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var names []string
			for _, one := range c.table.Offered(c.sites) {
				names = append(names, string(one.OperationName))
			}
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("Offered = %s; want %s", got, c.want)
			}
		})
	}
}

func TestOfferedShowsAStateUnderTheTablesName(t *testing.T) {
	list := lunch.Offered(both)
	setting, ok := list[0].Body.(htccapi.AgentStateSetting)
	if !ok || setting.OperationName != "Lunch" || setting.DisplayName != "At Lunch" {
		t.Errorf("Lunch is shown as %+v; want the first site's, by that name", list[0].Body)
	}
	if pureConnect.States[2].OperationName != "AtLunch" {
		t.Error("the states that were given are changed")
	}
}

func TestOperationsListsEachOnce(t *testing.T) {
	got := strings.Join(lunch.Operations(both), " ")
	want := "Lunch Ready NotReady AtPlay Overtime AtLunch OutToLunch DoNotDisturbOn DoNotDisturbOff"
	if got != want {
		t.Errorf("Operations = %s; want %s", got, want)
	}
}

func TestNamed(t *testing.T) {
	for _, c := range []struct {
		name  string
		table Table
		op    htccapi.Operation
		want  map[string]Name
	}{
		{"by the table's name each site has its own", lunch, "Lunch", map[string]Name{"pureconnect": {"AtLunch", false}, "cloud": {"OutToLunch", false}}},
		{"by a site's name, the other takes what the table ties to it", lunch, "at lunch", map[string]Name{"pureconnect": {"AtLunch", false}, "cloud": {"OutToLunch", false}}},
		{"in the other direction too", lunch, "OutToLunch", map[string]Name{"pureconnect": {"AtLunch", false}, "cloud": {"OutToLunch", false}}},
		{"without a table the other site takes its plain state", nil, "AtLunch", map[string]Name{"pureconnect": {"AtLunch", false}, "cloud": {htccapi.NotReady, true}}},
		{"which is Ready for one that offers work", nil, "Overtime", map[string]Name{"pureconnect": {htccapi.Ready, true}, "cloud": {"Overtime", false}}},
		{"also for a state of the table that the other site has not", Table{"Play": {"pureconnect": "AtPlay"}}, "Play", map[string]Name{"pureconnect": {"AtPlay", false}, "cloud": {htccapi.NotReady, true}}},
		{"what no site knows has no name", lunch, "Siesta", nil},
		{"nor has what the table names and no site has", Table{"Siesta": {"cloud": "Nap"}}, "Siesta", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.table.Named(c.op, both)
			if !maps.Equal(got, c.want) {
				t.Errorf("Named(%q) = %v; want %v", c.op, got, c.want)
			}
		})
	}
}

func TestIsSystem(t *testing.T) {
	if !IsSystem(htccapi.Ready) || !IsSystem(htccapi.DoNotDisturbOn) || IsSystem("AtLunch") {
		t.Error("system operations are those that the API reserves, and no others")
	}
	if !slices.Contains(htccapi.Reserved, htccapi.NotReady) {
		t.Error("the API reserves NotReady")
	}
}
