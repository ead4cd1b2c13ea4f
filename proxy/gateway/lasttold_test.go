package gateway

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/translate/htccapi"
)

// An agent works and wants not to be disturbed, at one replica or at two, while notifications of HTCC break and its session
// is lost. In whatever order that happens, what applications are told last of it is what HTCC has.
func TestWhatIsToldLastIsTrueInAnyOrder(t *testing.T) {
	const plays = 12
	for seed := range uint64(plays) {
		for replicas := 1; replicas <= 2; replicas++ {
			for _, login := range []string{"bjorn", "cleo"} {
				synctest.Test(t, func(t *testing.T) { playLastTold(t, seed, replicas, login) })
			}
		}
	}
}

func playLastTold(t *testing.T, seed uint64, replicas int, login string) {
	p := &lastTold{t: t, chance: &chance{random: rand.New(rand.NewPCG(seed, 0))}, cloud: &htccsim.Server{}, login: login, told: map[string]string{}}
	fleet := newShared()
	for range replicas {
		w, _ := fleet.teller(t, p.cloud)
		p.replicas = append(p.replicas, w)
	}
	first := p.replicas[0].login(login)
	p.session = first.SessionID()
	settle()
	p.desktop = p.replicas[0].open(first, everything)
	p.do("", startTwo)
	for range 15 {
		p.step()
		time.Sleep(time.Duration([]int{1, 30, 300, 1500, 12000}[p.below(5)]) * time.Millisecond)
	}
	p.cloud.Reset()
	time.Sleep(3 * time.Minute)
	p.listen()
	for of, want := range p.atHTCC() {
		if p.told[of] != want {
			t.Errorf("applications were told %s %s; HTCC has %s", of, p.told[of], want)
		}
	}
	if t.Failed() {
		t.Fatalf("seed %d, %s at %d replicas:\n%s", seed, login, replicas, strings.Join(p.log, "\n"))
	}
}

// lastTold is an agent at some replicas, and what an application was told last.
type lastTold struct {
	*chance
	t        *testing.T
	cloud    *htccsim.Server
	replicas []*world
	login    string
	session  string
	desktop  *desktop
	told     map[string]string // the state and do-not-disturb of a device, and of each channel
	log      []string
}

// step has something happen, most often an operation, at some replica.
func (p *lastTold) step() {
	w := p.replicas[0]
	switch p.below(10) {
	case 0:
		p.log = append(p.log, "HTCC loses the session")
		w.faultCloud(p.cloud, htccsim.Fault{Scenario: "expire-session", User: p.login})
	case 1:
		p.log = append(p.log, "notifications break")
		w.faultCloud(p.cloud, htccsim.Fault{Route: routeNotifications, Status: 503})
		w.faultCloud(p.cloud, htccsim.Fault{Scenario: "drop-stream", User: p.login})
	case 2:
		p.log = append(p.log, "notifications work again")
		p.cloud.Reset()
	case 3, 4, 5:
		p.do("", fmt.Sprintf(`{"operationName":%q}`, []htccapi.Operation{"DoNotDisturbOn", "DoNotDisturbOff"}[p.below(2)]))
	default:
		channel := []htccapi.MediaChannel{"", "chat", "voice"}[p.below(3)]
		p.do(channel, fmt.Sprintf(`{"operationName":%q}`, []htccapi.Operation{"Ready", "NotReady"}[p.below(2)]))
	}
}

// do has the agent do something at some replica, which may fail.
func (p *lastTold) do(channel htccapi.MediaChannel, body string) {
	at := p.below(len(p.replicas))
	outcome, err := p.replicas[at].post(p.replicas[at].cookie(p.session), channel, body)
	p.log = append(p.log, fmt.Sprintf("%s at replica %d: %s on %q: %s (%v)", time.Now().Format("04:05.000"), at, body, channel, sides(outcome), err))
}

// listen notes what the application has been told.
func (p *lastTold) listen() {
	for _, one := range p.desktop.heardWhole() {
		var is struct {
			Devices  []htccapi.Device
			Channels []htccapi.Channel
		}
		_, data, _ := strings.Cut(one, " ")
		_ = json.Unmarshal([]byte(data), &is) // what is no state says nothing
		p.note(is.Devices, is.Channels)
	}
}

func (p *lastTold) note(devices []htccapi.Device, channels []htccapi.Channel) {
	for _, device := range devices {
		p.told["the device"] = device.DeviceState
		if device.UserState != nil {
			p.told["the device"] = device.UserState.State + " dnd:" + device.DoNotDisturb
		}
	}
	for _, channel := range channels {
		p.told[string(channel.Channel)] = channel.UserState.State + " dnd:" + channel.DNDState
	}
}

// atHTCC returns what is to be told last: of bjorn's device, which cleo has at PureConnect, and of chat.
func (p *lastTold) atHTCC() map[string]string {
	state, err := p.cloud.State(p.login)
	if err != nil {
		p.t.Fatal(err)
	}
	is := map[string]string{}
	for _, device := range state.Devices {
		if p.login == "bjorn" {
			is["the device"] = device.UserState.State + " dnd:" + device.DoNotDisturb
		}
	}
	for _, channel := range state.Channels {
		if channel.Channel == "chat" {
			is["chat"] = channel.UserState.State + " dnd:" + state.DND
		}
	}
	return is
}
