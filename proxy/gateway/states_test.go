package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
)

// A state that the settings give a name stands in the list by that name alone.
func TestSharedStatesAreListedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newUnion(t, &icwssim.Server{}, &htccsim.Server{})
		for _, name := range []string{"anna", "cleo"} {
			list, err := w.AgentStates(t.Context(), w.login(name))
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, one := range list {
				names = append(names, one.ID)
			}
			all := strings.Join(names, " ")
			if names[0] != "Lunch" || strings.Count(all, "Lunch") != 1 {
				t.Errorf("the states of %s are %s; want Lunch first and no other lunch", name, all)
			}
		}
	})
}

// A state goes to the sites by the settings' name for it, and by what either site calls it.
func TestSharedStatesByTheNameOfASite(t *testing.T) {
	for _, name := range []string{"Lunch", "AtLunch", "OutToLunch", "at lunch"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := &htccsim.Server{}
				w := newUnion(t, &icwssim.Server{}, cloud)
				cleo := w.login("cleo")
				w.posted(cleo, "", startAll)
				outcome := w.posted(cleo, "", `{"operationName":"`+name+`"}`)
				if len(outcome.Substituted) > 0 {
					t.Errorf("%s was substituted: %v", name, outcome.Substituted)
				}
				time.Sleep(time.Second)
				w.holds("cleo", "At Lunch")
				state, err := cloud.State("cleo")
				if err != nil {
					t.Fatal(err)
				}
				for _, channel := range state.Channels {
					if channel.Channel != htccapi.Voice && channel.UserState.DisplayName != "Out to Lunch" {
						t.Errorf("%s after %s is %q at HTCC; want Out to Lunch", channel.Channel, name, channel.UserState.DisplayName)
					}
				}
			})
		})
	}
}

// The text of a refusal lists what may be posted, each once, do-not-disturb included.
func TestUnknownOperationAtTwoSites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newUnion(t, &icwssim.Server{}, &htccsim.Server{})
		_, err := w.post(w.login("cleo"), "", `{"operationName":"Siesta"}`)
		text := fault.Public(err)
		_, after, _ := strings.Cut(text, "may use: ")
		seen := map[string]bool{}
		for _, name := range strings.Split(after, ", ") {
			if seen[name] {
				t.Errorf("%s stands twice in %q", name, text)
			}
			seen[name] = true
		}
		for _, name := range []string{"Ready", "Lunch", "AtLunch", "OutToLunch", "AuxWork", "DoNotDisturbOn"} {
			if !seen[name] {
				t.Errorf("%s is missing in %q", name, text)
			}
		}
	})
}

// A state that the agent may not choose is one that they have no access to, by whatever name they ask for it; one that
// nobody has is unknown.
func TestAStateWithoutAccessIsForbidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		anna, cleo := w.login("anna"), w.login("cleo")
		w.posted(cleo, "", startAll)
		for _, user := range []string{"anna", "cleo"} {
			w.set(icwssim.StateChange{User: user, Access: &[]string{"Available", "Available, No ACD", "At Play"}})
		}
		time.Sleep(time.Second)
		before := cloud.Calls()["POST /api/v2/me/channels/{channel}"]
		for _, test := range []struct {
			agent   *Agent
			channel htccapi.MediaChannel
			op      string
			want    fault.Kind
		}{
			{anna, "", "Lunch", fault.Forbidden},
			{anna, "voice", "Lunch", fault.Forbidden},
			{anna, "", "AtLunch", fault.Forbidden},
			{anna, "", "Siesta", fault.Invalid},
			{cleo, "", "AtLunch", fault.Forbidden},
			{cleo, "", "at lunch", fault.Forbidden},
			{cleo, "voice", "AtLunch", fault.Forbidden},
			{cleo, "", "Siesta", fault.Invalid},
		} {
			_, err := w.post(test.agent, test.channel, `{"operationName":"`+test.op+`"}`)
			text := fault.Public(err)
			if fault.KindOf(err) != test.want || !strings.Contains(text, `"`+test.op+`"`) || !strings.Contains(text, "AtPlay") {
				t.Errorf("%s of %s on %q: %v, %q; want %q and what is allowed", test.op, test.agent.Login(), test.channel, fault.KindOf(err), text, test.want)
			}
		}
		if got := cloud.Calls()["POST /api/v2/me/channels/{channel}"] - before; got != 0 {
			t.Errorf("HTCC was sent %d of the operations that were refused; want 0", got)
		}
		outcome := w.posted(cleo, "", `{"operationName":"OutToLunch"}`)
		if len(outcome.Substituted) != 1 || outcome.Substituted[0].OperationName != htccapi.NotReady {
			t.Errorf("OutToLunch, which HTCC has, was substituted by %v; want NotReady on voice", outcome.Substituted)
		}
	})
}
