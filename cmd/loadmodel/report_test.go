package main

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func bodyOf(text string) io.Reader { return strings.NewReader(text) }

const poll = "GET /icws/{sessionId}/status/user-statuses/{userId}"

// example is a report of ten agents, seven on ICWS, in two modes; a third is not available.
func example() report {
	direct := result{mode: modes[0], wall: time.Minute, calls: map[key]int{
		{icws, poll, stateReads, morning.name, panel}:                                                       504,
		{icws, poll, stateReads, morning.name, phone}:                                                       56,
		{icws, "PUT /icws/{sessionId}/status/user-statuses/{userId}", writes, morning.name, panel}:          112,
		{icws, "POST /icws/connection", sessions, logInWave.name, panel}:                                    7,
		{icws, "GET /icws/{sessionId}/status/status-messages", catalogue, logInWave.name, panel}:            7,
		{htcc, "GET /api/v2/me", stateReads, morning.name, panel}:                                           24,
		{htcc, "POST /api/v2/notifications", notifications, morning.name, desktop}:                          600,
		{icws, "DELETE /icws/{sessionId}/connection", sessions, logOutWave.name, panel}:                     7,
		{icws, "GET /icws/{sessionId}/messaging/messages", streams, logInWave.name, phone}:                  7,
		{icws, "PUT /icws/{sessionId}/messaging/subscriptions/status/user-statuses", subscriptions, "", ""}: 7,
	}}
	agent := result{mode: modes[1], wall: time.Minute, calls: map[key]int{
		{icws, "POST /icws/connection", sessions, logInWave.name, panel}:                           7,
		{icws, "GET /icws/{sessionId}/status/status-messages", catalogue, logInWave.name, panel}:   7,
		{icws, poll, stateReads, logInWave.name, panel}:                                            14,
		{icws, "GET /icws/connection/version", probes, morning.name, nobody}:                       7,
		{icws, "PUT /icws/{sessionId}/status/user-statuses/{userId}", writes, morning.name, panel}: 112,
		{icws, "PUT /icws/{sessionId}/activations/users/{userId}", activations, morning.name, ""}:  28,
	}}
	return report{agents: 10, duration: time.Minute, results: []result{direct, agent, {mode: modes[3], missing: `loadmodel.yaml:5: "service" is not available`}}}
}

func TestRate(t *testing.T) {
	all := example()
	heartbeats := modes[slices.IndexFunc(modes, func(m mode) bool { return m.name == "heartbeats" })]
	beats := result{mode: heartbeats, wall: time.Minute, calls: map[key]int{{kind: icws, class: keepAlives}: 84}}
	for _, tt := range []struct {
		name string
		got  float64
		want float64
	}{
		{"560 polls of seven agents in eight hours", all.results[0].rate(7, isOf(icws, stateReads)), 10},
		{"the same without the panel, by six agents", all.results[0].rate(7, but(panel, isOf(icws, stateReads))), 1},
		{"seven probes in a minute that really passed, shared by seven", all.results[1].rate(7, isOf(icws, probes)), 60},
		{"84 keep-alives in that minute, played eighteen times as often as usual", beats.rate(7, isOf(icws, keepAlives)), 40},
		{"nobody's", all.results[0].rate(0, isOf(icws, probes)), 0},
	} {
		if math.Abs(tt.got-tt.want) > 1e-9 {
			t.Errorf("%s: %v an agent-hour; want %v", tt.name, tt.got, tt.want)
		}
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	example().print(&out)
	for _, want := range []string{
		"A shift of 8 hours with 10 agents, compressed into 1m0s.",
		"ICWS, 7 agents",
		"| requests per agent-hour | direct | agent/session | service/shared |",
		"| GET /icws/{sessionId}/status/user-statuses/{userId}: reads of agent state | 10.00 | 0.25 | - |",
		"| GET /icws/connection/version: probes | 0 | 60.00 | - |",
		"| **all but state writes** | 10.62 | 60.50 | - |",
		"| PUT /icws/{sessionId}/status/user-statuses/{userId}: state writes | 2.00 | 2.00 | - |",
		"| POST /api/v2/notifications: CometD, number in this run | 600 | 0 | - |",
		`service/shared was not played: loadmodel.yaml:5: "service" is not available`,
		"direct took 60.0 s.",
	} {
		if !strings.Contains(squeezed(out.String()), want) {
			t.Errorf("%q is not printed", want)
		}
	}
	if t.Failed() {
		t.Logf("printed is:\n%s", &out)
	}
}

// squeezed is text whose columns are not aligned.
func squeezed(text string) string { return regexp.MustCompile(` +`).ReplaceAllString(text, " ") }

func TestTargets(t *testing.T) {
	all := example()
	row := func(begin string) []string {
		for _, row := range all.targets(newRoster(10)) {
			if strings.HasPrefix(row[0], begin) {
				return row
			}
		}
		return nil
	}
	for _, tt := range []struct {
		name, begin, want string
	}{
		{"a fetch for each session", "catalogue fetches", "7 for 7"},
		{"reads in the log-in wave are none of the steady state", "reads of agent state in the steady state, icws", "0"},
		{"shares above the target are missed", "ICWS requests but state writes", "569.4% MISSED"},
		{"as many writes", "ICWS state writes: 112", "112"},
		{"activation calls apart", "activation calls", "28"},
		{"totals", "all requests", "175"},
	} {
		got := row(tt.begin)
		if len(got) != 4 || got[2] != tt.want || got[3] != "-" {
			t.Errorf("%s: %q; want %q and nothing of the mode that was not played", tt.name, got, tt.want)
		}
	}
	agent := all.results[1]
	agent.calls[key{icws, poll, stateReads, afternoon.name, phone}] = 1
	agent.calls[key{icws, "PUT /icws/{sessionId}/status/user-statuses/{userId}", writes, afternoon.name, phone}] = 1
	agent.calls[key{icws, "GET /icws/{sessionId}/status/status-messages", catalogue, afternoon.name, phone}] = 1
	all.results[1].wrong = []string{"GET /a: the model counted 1, the simulator 2"}
	for _, begin := range []string{"catalogue fetches", "reads of agent state in the steady state, icws", "ICWS state writes", "all requests"} {
		if got := row(begin); !strings.HasSuffix(got[2], "MISSED") {
			t.Errorf("%s: %q; want it missed", begin, got)
		}
	}
}

func TestFaults(t *testing.T) {
	all := example()
	if err := all.faults(); err != nil {
		t.Errorf("faults of a good report: %v", err)
	}
	all.results[0].wrong = []string{"GET /a: the model counted 1, the simulator 2"}
	all.results[1].failed, all.results[1].failure = 2, errors.New("agent0001 (phone): log in: EOF")
	err := all.faults()
	want := "direct: GET /a: the model counted 1, the simulator 2\nagent/session: 2 steps of applications failed, the first: agent0001 (phone): log in: EOF"
	if err == nil || err.Error() != want {
		t.Errorf("faults are %v; want %s", err, want)
	}
}

func TestCSV(t *testing.T) {
	all := example()
	lines, err := csv.NewReader(bytes.NewReader(all.csv())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := 1 + len(all.results[0].calls) + len(all.results[1].calls); len(lines) != want {
		t.Errorf("%d lines; want %d", len(lines), want)
	}
	text := string(all.csv())
	for _, want := range []string{
		"mode,contact_centre,route,class,phase,application,requests,per_agent_hour\n",
		"direct,icws,GET /icws/{sessionId}/status/user-statuses/{userId},reads of agent state,morning,panel,504,9.00000\n",
		"direct,htcc,POST /api/v2/notifications,CometD,morning,desktop,600,\n",
		"agent,icws,GET /icws/connection/version,probes,morning,portico,7,60.00000\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s\nwant in it %s", text, want)
		}
	}
}

func TestChart(t *testing.T) {
	chart := example().chart()
	decoder := xml.NewDecoder(bytes.NewReader(chart))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("no XML: %v\n%s", err, chart)
		}
	}
	for _, want := range []string{"ICWS, 7 agents", "HTCC, 3 agents", ">direct<", ">agent/session<", ">service/shared<",
		"not available in this version of Portico", ">12.62<", "reads of agent state: 10.00", "8 hours"} {
		if !strings.Contains(string(chart), want) {
			t.Errorf("the chart lacks %q\n%s", want, chart)
		}
	}
}
