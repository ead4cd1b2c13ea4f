package main

import (
	"fmt"
	"slices"
)

// A kind is which API an agent's contact centre speaks.
type kind string

const (
	icws kind = "icws"
	htcc kind = "htcc"
)

var kinds = []kind{icws, htcc}

// A persona is how an application behaves. Each agent has one application.
//
// Source: captured traffic of the agent desktop with GWS 8.5.202.96; Genesys' HTCC sample for iOS; the
// public .NET client; for ICWS the vendor's sample "JavaScript Direct Usage".
type persona string

const (
	desktop persona = "desktop" // page in a browser: asks whether it has a session, is reloaded
	phone   persona = "phone"   // mobile app: comes back to the foreground now and then
	client  persona = "client"  // program on a PC: credentials with every request, no cookies
	panel   persona = "panel"   // CRM panel: polls the agent's state and is told nothing

	nobody persona = "" // Portico itself
)

// mix is the persona of each agent of a kind, over and over: 11 desktops, 5 phones, 3 clients and a
// panel of twenty.
var mix = []persona{
	desktop, phone, desktop, client, panel, desktop, desktop, phone, desktop, desktop,
	phone, desktop, client, desktop, phone, desktop, desktop, client, phone, desktop,
}

// sites is the contact centre of each agent, over and over: seven of ten on ICWS.
var sites = []kind{icws, icws, htcc, icws, icws, htcc, icws, icws, htcc, icws}

// languages is the language of each agent of a kind, over and over. The simulator has both.
var languages = []string{"en-us", "en-us", "en-us", "de"}

// An agent is one of the shift, with one application.
type agent struct {
	number   int
	name     string // log-in name, and password
	kind     kind
	persona  persona
	language string
}

// A roster is all agents of a shift.
type roster []agent

// newRoster returns so many agents, the same ones in every run.
func newRoster(n int) roster {
	var all roster
	of := map[kind]int{}
	for number := range n {
		at := sites[number%len(sites)]
		name := fmt.Sprintf("agent%04d", of[at]+1)
		if at == htcc {
			name = fmt.Sprintf("gws%04d", of[at]+1)
		}
		all = append(all, agent{number: number, name: name, kind: at,
			persona: mix[of[at]%len(mix)], language: languages[of[at]%len(languages)]})
		of[at]++
	}
	return all
}

// count returns how many agents of a kind are none of the personas.
func (r roster) count(k kind, but ...persona) int {
	n := 0
	for _, a := range r {
		if a.kind == k && !slices.Contains(but, a.persona) {
			n++
		}
	}
	return n
}

// languages returns how many languages the agents of a kind speak.
func (r roster) languages(k kind) int {
	spoken := map[string]bool{}
	for _, a := range r {
		if a.kind == k {
			spoken[a.language] = true
		}
	}
	return len(spoken)
}

// personas returns the persona of each agent by name.
func (r roster) personas() map[string]persona {
	of := make(map[string]persona, len(r))
	for _, a := range r {
		of[a.name] = a.persona
	}
	return of
}
