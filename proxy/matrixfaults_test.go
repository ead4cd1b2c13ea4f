package proxy

import (
	"strings"
	"time"

	"portico/proxy/simulation"
)

// A trouble is something that goes wrong at a site for troubled, or only once. Its name stands in the
// README.
type trouble struct {
	name   string
	knobs  func(*knobs)
	faults []simulation.Fault // armed in their order
	wire   func(*wire)        // done to the wire before that
}

// troubled is how long what lasts does.
const troubled = time.Minute

// anyCall breaks every call off.
var anyCall = simulation.Fault{Scenario: "reset-connection", Route: "*", Times: 1_000_000}

// pageOf500 answers every call with what no site says itself.
var pageOf500 = simulation.Fault{Status: 500, Body: "<html>Internal Server Error</html>", ContentType: "text/html"}

// isFirst is the host that a site's log-ins begin with.
func isFirst(host string) bool { return strings.Contains(host, "1.example") }

// switchover is a node that sends log-ins elsewhere.
func switchover(hosts ...string) []simulation.Fault {
	return []simulation.Fault{{Scenario: "switchover", Host: "ic1.example", Hosts: append([]string{}, hosts...)}}
}

// troubles are those of each site, by its name.
var troubles = map[string][]trouble{
	site: {
		{name: "the session expires while the site is cut off", wire: (*wire).cut,
			knobs: func(k *knobs) { k.sim.IdleTimeout = 20 * time.Second }},
		{name: "the session is killed", faults: []simulation.Fault{{Scenario: "expire-session"}}},
		{name: "a supervisor logs the agent off", faults: []simulation.Fault{{Scenario: "force-logoff"}}},
		{name: "the IC server is down", faults: []simulation.Fault{{Scenario: "ic-down"}}},
		{name: "switchover to a host that is well", faults: switchover("ic2.example")},
		{name: "switchover, each host names the other", faults: []simulation.Fault{
			{Scenario: "switchover", Host: "ic1.example", Hosts: []string{"ic2.example"}},
			{Scenario: "switchover", Host: "ic2.example", Hosts: []string{"ic1.example"}}}},
		{name: "switchover, the host names itself", faults: switchover("ic1.example")},
		{name: "switchover, no host is named", faults: switchover()},
		{name: "switchover to a host out of reach", faults: switchover("ic3.example")},
		{name: "switchover to a foreign host", faults: switchover("evil.example")},
		{name: "the host dies, another is well", wire: func(w *wire) { w.kill(isFirst) },
			knobs: func(k *knobs) { k.icws.Bases = append(k.icws.Bases, "http://ic2.example:8018") }},
		{name: "answers take 3 s", faults: []simulation.Fault{{Delay: 3 * time.Second}}},
		{name: "no answers", faults: []simulation.Fault{{Scenario: "hang"}}},
		{name: "500 to all calls", faults: []simulation.Fault{{Status: 500}}},
		{name: "500 and a page to all calls", faults: []simulation.Fault{pageOf500}},
		{name: "all connections break", faults: []simulation.Fault{{Scenario: "drop-stream"}, anyCall}},
		{name: "the reader's connection breaks, messages are lost", faults: []simulation.Fault{{Scenario: "reset-connection"}}},
		{name: "an event is cut short", faults: []simulation.Fault{{Scenario: "truncate-event"}}},
		{name: "200 without a body", faults: []simulation.Fault{{Status: 200}}},
		{name: "answers of type application/json", wire: func(w *wire) { w.retype("application/json") }},
		{name: "no licence is left, and sessions are killed", faults: []simulation.Fault{{Scenario: "no-licence"}, {Scenario: "expire-session"}}},
		{name: "messaging 1, no streams", knobs: func(k *knobs) { k.sim.MessagingVersion = 1 }},
	},
	cloud: {
		{name: "the session expires while the site is cut off", wire: (*wire).cut,
			knobs: func(k *knobs) { k.cloud.IdleTimeout = 20 * time.Second }},
		{name: "the session is killed", faults: []simulation.Fault{{Scenario: "expire-session"}}},
		{name: "the agent is logged out", faults: []simulation.Fault{{Scenario: "force-logoff"}}},
		{name: "the backend is down", faults: []simulation.Fault{{Scenario: "backend-down"}}},
		{name: "the host dies, another is well", wire: func(w *wire) { w.kill(isFirst) },
			knobs: func(k *knobs) { k.htcc.Bases = append(k.htcc.Bases, "http://gws2.example:8090") }},
		{name: "answers take 3 s", faults: []simulation.Fault{{Delay: 3 * time.Second}}},
		{name: "no answers", faults: []simulation.Fault{{Scenario: "hang"}}},
		{name: "500 to all calls", faults: []simulation.Fault{{Status: 500}}},
		{name: "500 and a page to all calls", faults: []simulation.Fault{pageOf500}},
		{name: "503 to all calls", faults: []simulation.Fault{{Status: 503}}},
		{name: "all connections break", faults: []simulation.Fault{{Scenario: "drop-stream"}, anyCall}},
		{name: "the reader's connection breaks", faults: []simulation.Fault{{Scenario: "reset-connection"}}},
		{name: "an event is cut short", faults: []simulation.Fault{{Scenario: "truncate-event"}}},
		{name: "200 without a body", faults: []simulation.Fault{{Status: 200}}},
		{name: "answers of type text/plain", wire: func(w *wire) { w.retype("text/plain") }},
		{name: "no permission to log in, and sessions are killed", faults: []simulation.Fault{
			{Route: "GET /api/v2/me", Status: 403, Body: `{"statusCode":5,"statusMessage":"No permission"}`}, {Scenario: "expire-session"}}},
		{name: "the CometD session ends", faults: []simulation.Fault{{Scenario: "drop-stream"}}},
	},
}
