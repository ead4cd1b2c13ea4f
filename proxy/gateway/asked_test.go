package gateway

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/translate/htccapi"
)

// An agent on both sites starts, works and pauses, on some channels or on all, at one replica or at either of two, and
// HTCC may lose the session meanwhile. In whatever order that happens, each channel is in the end what the agent was
// told: at its site, and as every replica shows it.
func TestWhatAnAgentIsToldHoldsInAnyOrder(t *testing.T) {
	const plays = 12
	for seed := range uint64(plays) {
		for replicas := 1; replicas <= 2; replicas++ {
			synctest.Test(t, func(t *testing.T) { playAsked(t, seed, replicas) })
		}
	}
}

func playAsked(t *testing.T, seed uint64, replicas int) {
	p := &asked{t: t, chance: &chance{random: rand.New(rand.NewPCG(seed, 0))}, cloud: &htccsim.Server{}, told: map[htccapi.MediaChannel]string{}}
	fleet := newShared()
	for range replicas {
		w, _ := fleet.teller(t, p.cloud)
		p.replicas = append(p.replicas, w)
	}
	p.session = p.replicas[0].login("cleo").SessionID()
	settle()
	p.start(p.replicas[0], p.replicas[0].cookie(p.session), cleosChannels)
	for range 15 {
		p.step()
		time.Sleep(time.Duration([]int{1, 1, 30, 300, 1500, 12000}[p.below(6)]) * time.Millisecond)
	}
	settle()
	want := p.tells()
	got := map[string]string{"HTCC and PureConnect": p.atSites()}
	for i, w := range p.replicas {
		got[fmt.Sprintf("replica %d", i)] = p.shows(w)
	}
	for where, got := range got {
		if got != want {
			t.Errorf("%s: %s; want %s", where, got, want)
		}
	}
	if t.Failed() {
		t.Fatalf("seed %d at %d replicas:\n%s", seed, replicas, strings.Join(p.log, "\n"))
	}
}

// asked is cleo, at some replicas, and what she is told.
type asked struct {
	*chance
	t        *testing.T
	cloud    *htccsim.Server
	replicas []*world
	session  string
	told     map[htccapi.MediaChannel]string // the state of each channel
	log      []string
}

var cleosChannels = []htccapi.MediaChannel{"chat", "email", "voice"}

// step has something happen, most often an operation, at some replica.
func (p *asked) step() {
	w := p.replicas[p.below(len(p.replicas))]
	cleo := w.cookie(p.session)
	switch p.below(10) {
	case 0:
		p.replicas[0].faultCloud(p.cloud, htccsim.Fault{Scenario: "expire-session", User: "cleo"})
		p.log = append(p.log, "HTCC loses the session")
		time.Sleep(3 * time.Second) // a replica that keeps no password cannot log in
	case 1:
		w.shows(cleo)
	case 2, 3:
		p.start(w, cleo, []htccapi.MediaChannel{cleosChannels[p.below(3)], cleosChannels[p.below(3)]})
	default:
		op := []htccapi.Operation{"Ready", "NotReady", "Lunch", "Offline"}[p.below(4)]
		channel := cleosChannels[p.below(3)]
		if p.below(2) == 0 && op != htccapi.Offline {
			channel = ""
		}
		p.set(w, cleo, channel, op)
	}
}

// start starts some of the channels, named once or more.
func (p *asked) start(w *world, cleo *Agent, some []htccapi.MediaChannel) {
	some = slices.Compact(slices.Sorted(slices.Values(some)))
	p.do(w, cleo, "", startOf(strings.Trim(fmt.Sprint(some), "[]")), some)
	for _, name := range cleosChannels {
		switch {
		case !slices.Contains(some, name):
			p.told[name] = htccapi.StateLoggedOut
		case p.isOut(name):
			p.told[name] = htccapi.StateNotReady
		}
	}
}

// set carries out an operation on one channel, which may refuse it, or on all: that takes those that are not LoggedOut.
func (p *asked) set(w *world, cleo *Agent, channel htccapi.MediaChannel, op htccapi.Operation) {
	covered := []htccapi.MediaChannel{channel}
	if channel == "" {
		covered = slices.DeleteFunc(slices.Clone(cleosChannels), p.isOut)
	} else if p.isOut(channel) && op == htccapi.Ready {
		covered = nil
	}
	p.do(w, cleo, channel, `{"operationName":"`+string(op)+`"}`, covered)
	for _, name := range covered {
		p.told[name] = map[htccapi.Operation]string{"Ready": htccapi.StateReady, "Offline": htccapi.StateLoggedOut}[op]
		if p.told[name] == "" {
			p.told[name] = htccapi.StateNotReady
		}
	}
}

// do carries out an operation, which must succeed for these channels. For none it may fail.
func (p *asked) do(w *world, cleo *Agent, channel htccapi.MediaChannel, body string, want []htccapi.MediaChannel) {
	outcome, err := w.post(cleo, channel, body)
	p.log = append(p.log, fmt.Sprintf("%s at replica %d: %s on %q: %s (%v)",
		time.Now().Format("04:05.000"), slices.Index(p.replicas, w), body, channel, sides(outcome), err))
	var succeeded []htccapi.MediaChannel
	for _, one := range outcome.Succeeded {
		succeeded = append(succeeded, one.Channel)
	}
	slices.Sort(succeeded)
	if len(want) > 0 && (!slices.Equal(succeeded, want) || len(outcome.Failed) > 0) {
		p.t.Errorf("the last operation succeeded for %s (%v); want %s", sides(outcome), err, want)
	}
}

func (p *asked) isOut(name htccapi.MediaChannel) bool {
	return p.told[name] != htccapi.StateReady && p.told[name] != htccapi.StateNotReady
}

// tells returns the states that were told, as shows does those that are shown.
func (p *asked) tells() string {
	var states []string
	for _, name := range cleosChannels {
		states = append(states, string(name)+":"+p.told[name])
	}
	return strings.Join(states, " ")
}

func (p *asked) shows(w *world) string {
	shown := strings.NewReplacer("At Lunch", "", "LunchAuxWork", "", " Active dnd:Off", "").Replace(w.shows(w.cookie(p.session)))
	states := strings.Fields(shown)
	slices.Sort(states)
	return strings.Join(states, " ")
}

// atSites returns what was told where the sites offer work on just those channels, else what they offer.
func (p *asked) atSites() string {
	pureconnect, err := p.replicas[0].sim.State("cleo")
	if err != nil {
		p.t.Fatal(err)
	}
	cloud, err := p.cloud.State("cleo")
	if err != nil {
		p.t.Fatal(err)
	}
	offered := map[htccapi.MediaChannel]bool{
		htccapi.Voice: pureconnect.StatusID == "Available" && (pureconnect.Activations["Sales"] || pureconnect.Activations["Support"])}
	for _, one := range cloud.Channels {
		if one.Channel != htccapi.Voice { // which is PureConnect's
			offered[one.Channel] = one.UserState.State == htccapi.StateReady
		}
	}
	for _, name := range cleosChannels {
		if offered[name] != (p.told[name] == htccapi.StateReady) {
			return fmt.Sprintf("offered work: %v", offered)
		}
	}
	return p.tells()
}
