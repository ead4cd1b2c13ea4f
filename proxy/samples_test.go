package proxy

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSamples holds what agents of either kind of site and of both are answered and told to samples of
// the wire: it has their members, no others, and each of its type. Which members are optional, the
// samples say themselves, where objects of a list differ.
//
// Each file in testdata/samples names its source, exceptions as "member: why", and the steps that lead
// to what is compared: "start" for StartContactCenterSession, requests, and "hear" for the last
// notification of a type. DEVICE and SECOND stand for the agent's device and the channel beside voice.
// After an empty line come the samples.
func TestSamples(t *testing.T) {
	files, err := filepath.Glob("testdata/samples/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d samples (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			sample := readSample(t, file)
			played(t, false, func(t *testing.T, p *player) {
				p.headers = []string{"Authorization", basicAuth(p.agent, p.agent)}
				p.takes(sample)
			})
		})
	}
}

// A sample is one file.
type sample struct {
	steps  []string
	except map[string]string // why, by member
	shape  shape
}

func readSample(t *testing.T, file string) sample {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, bodies, found := strings.Cut(string(text), "\n\n")
	if !found || !strings.HasPrefix(head, "# Source: ") {
		t.Fatalf("%s has no source, or no empty line", file)
	}
	read := sample{except: map[string]string{}}
	for line := range strings.SplitSeq(head, "\n") {
		exception, isException := strings.CutPrefix(line, "# Except ")
		switch {
		case isException:
			member, why, _ := strings.Cut(exception, ": ")
			read.except[member] = why
		case !strings.HasPrefix(line, "#"):
			read.steps = append(read.steps, line)
		}
	}
	for body := range strings.SplitSeq(strings.TrimSpace(bodies), "\n") {
		read.shape.learn(decodeAny(t, body))
	}
	return read
}

func decodeAny(t testing.TB, text string) any {
	t.Helper()
	var value any
	err := json.Unmarshal([]byte(text), &value)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return value
}

// takes takes the steps, and holds what the last one yields to the sample. What an operation sets off
// comes later, so the last step is taken again for a while, if it only asks.
func (p *player) takes(s sample) {
	p.t.Helper()
	last := len(s.steps) - 1
	for _, step := range s.steps[:last] {
		p.step(step)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		got := p.step(s.steps[last])
		var faults []string
		if got == "" {
			faults = []string{"nothing came"}
		} else {
			faults = s.shape.faults("", decodeAny(p.t, got), s.except)
		}
		if len(faults) == 0 {
			return
		}
		if strings.HasPrefix(s.steps[last], "POST") || time.Now().After(deadline) {
			p.t.Fatalf("%s for %s yields %s\n%s", s.steps[last], p.agent, got, strings.Join(faults, "\n"))
		}
	}
}

// step takes a step and returns what it yields.
func (p *player) step(step string) string {
	p.t.Helper()
	verb, rest, _ := strings.Cut(step, " ")
	path, body, _ := strings.Cut(strings.ReplaceAll(rest, "SECOND", p.second), " ")
	if strings.Contains(path, "DEVICE") {
		path = strings.ReplaceAll(path, "DEVICE", p.device())
	}
	switch verb {
	case "anonymous":
		p.headers = nil
	case "start":
		p.starts()
		p.expects("after Start", day{p.begins, "NotReady", "Off"})
	case "listen":
		comet := newComet(p.t, polling{app: p.caller, client: p.client})
		comet.shakes("", "long-polling")
		comet.subscribes(path)
		comet.listens("long-polling")
		p.catchesUp(comet)
	case "hear":
		return p.comet.latest(path)
	default:
		return p.do(verb, path, body, p.headers...).body
	}
	return ""
}

// latest returns the last notification of a type, "" if none came.
func (c *comet) latest(messageType string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range slices.Backward(c.heard) {
		if one.Data.MessageType == messageType {
			return one.raw
		}
	}
	return ""
}

// A shape is what is common to values of JSON, and what some of them have besides.
type shape struct {
	kind    string
	seen    int               // so many objects
	members map[string]*shape // of objects; those that all have were seen as often as these
	items   *shape            // of lists
}

// learn makes value one of those that the shape is of.
func (s *shape) learn(value any) {
	s.kind = jsonKind(value)
	s.seen++
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if s.members == nil {
				s.members = map[string]*shape{}
			}
			if s.members[name] == nil {
				s.members[name] = &shape{}
			}
			s.members[name].learn(member)
		}
	case []any:
		if s.items == nil {
			s.items = &shape{}
		}
		for _, item := range value {
			s.items.learn(item)
		}
	}
}

// faults says where value, which stands at path, does not have the shape. A member that is excepted may
// be there or not, and have whatever is in it.
func (s *shape) faults(path string, value any, except map[string]string) []string {
	if jsonKind(value) != s.kind {
		return []string{fmt.Sprintf("%s is a %s; want a %s", path, jsonKind(value), s.kind)}
	}
	switch value := value.(type) {
	case map[string]any:
		return append(s.strange(path, value, except), s.missing(path, value, except)...)
	case []any:
		var found []string
		for _, item := range value {
			if s.items.seen > 0 {
				found = append(found, s.items.faults(path+"[]", item, except)...)
			}
		}
		return found
	}
	return nil
}

// strange says what members value should not have, or not so.
func (s *shape) strange(path string, value map[string]any, except map[string]string) []string {
	var found []string
	for name, member := range value {
		at := strings.TrimPrefix(path+"."+name, ".")
		switch {
		case except[at] != "":
		case s.members[name] == nil:
			found = append(found, at+" is in no sample")
		default:
			found = append(found, s.members[name].faults(at, member, except)...)
		}
	}
	return found
}

// missing says what members value should have.
func (s *shape) missing(path string, value map[string]any, except map[string]string) []string {
	var found []string
	for name, member := range s.members {
		at := strings.TrimPrefix(path+"."+name, ".")
		_, has := value[name]
		if !has && member.seen == s.seen && except[at] == "" {
			found = append(found, at+" is missing")
		}
	}
	return found
}

func jsonKind(value any) string {
	switch value.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "list"
	}
	return fmt.Sprintf("%T", value)
}
