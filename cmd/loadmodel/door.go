package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// A key is what requests are told apart by.
type key struct {
	kind    kind
	route   string
	class   class
	phase   string
	persona persona
}

// A door stands before a simulator and counts the requests that go in, on its own: by route, phase, and
// whose application caused them.
type door struct {
	kind     kind
	sim      http.Handler
	personas map[string]persona // by log-in name

	mu    sync.Mutex
	phase string            // guarded by mu
	calls map[key]int       // guarded by mu
	names map[string]string // guarded by mu; of the agent whose upstream session an id is
}

func newDoor(k kind, sim http.Handler, r roster) *door {
	return &door{kind: k, sim: sim, personas: r.personas(), calls: map[key]int{}, names: map[string]string{}}
}

// ServeHTTP counts the request, unless it is one to the simulator's controls, and lets it in.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_sim/") {
		d.sim.ServeHTTP(w, r)
		return
	}
	name := d.caller(r)
	d.count(r, d.personas[name])
	d.sim.ServeHTTP(&welcome{ResponseWriter: w, door: d, name: name}, r)
}

func (d *door) count(r *http.Request, who persona) {
	route, class := routeOf(d.kind, r, who)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls[key{d.kind, route, class, d.phase, who}]++
}

// begin says which phase requests belong to from now on.
func (d *door) begin(p phase) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.phase = p.name
}

// untimed returns how many requests went in, apart from those that go by the clock and never end.
func (d *door) untimed() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for k, calls := range d.calls {
		if !k.class.isTimed() {
			n += calls
		}
	}
	return n
}

// counted returns a copy of the counts.
func (d *door) counted() map[key]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.calls)
}

// caller returns the name of the agent whose session the request is of, or who logs in with it.
func (d *door) caller(r *http.Request) string {
	if name, _, ok := r.BasicAuth(); ok {
		return name
	}
	if d.kind == icws && r.Method == http.MethodPost && r.URL.Path == "/icws/connection" {
		return nameInLogIn(r)
	}
	session := ""
	if cookie, err := r.Cookie(htccapi.CookieSession); err == nil {
		session = cookie.Value
	}
	if path := segments(r.URL.Path); d.kind == icws && len(path) > 1 {
		session = path[1]
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.names[session]
}

// nameInLogIn reads who logs in, and leaves the body as it was.
func nameInLogIn(r *http.Request) string {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var asked icwsapi.ICAuthConnectionRequestSettings
	if err != nil || json.Unmarshal(body, &asked) != nil {
		return ""
	}
	return asked.UserID
}

// A welcome notes whose session an answer opens, before the answer is sent: the session may be used at
// once.
type welcome struct {
	http.ResponseWriter
	door *door
	name string
}

func (w *welcome) WriteHeader(status int) {
	id := opened(w.Header())
	if id != "" {
		w.door.mu.Lock()
		w.door.names[id] = w.name
		w.door.mu.Unlock()
	}
	w.ResponseWriter.WriteHeader(status)
}

// opened returns the id of the session that an answer opens, "" if it opens none.
func opened(h http.Header) string {
	for name, values := range h {
		if strings.EqualFold(name, icwsapi.HeaderSessionID) { // which ICWS spells in its own way
			return values[0]
		}
	}
	for _, line := range h.Values("Set-Cookie") {
		cookie, err := http.ParseSetCookie(line)
		if err == nil && cookie.Name == htccapi.CookieSession {
			return cookie.Value
		}
	}
	return ""
}

// Unwrap lets the simulator flush.
func (w *welcome) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// differences returns where counts and what a simulator says of itself are not the same.
func differences(counts map[key]int, said map[string]int) []string {
	mine := map[string]int{}
	for k, n := range counts {
		mine[k.route] += n
	}
	var wrong []string
	for _, route := range slices.Sorted(maps.Keys(mine)) {
		if mine[route] != said[route] {
			wrong = append(wrong, fmt.Sprintf("%s: the model counted %d, the simulator %d", route, mine[route], said[route]))
		}
	}
	for _, route := range slices.Sorted(maps.Keys(said)) {
		if _, counted := mine[route]; !counted {
			wrong = append(wrong, fmt.Sprintf("%s: the model counted none, the simulator %d", route, said[route]))
		}
	}
	return wrong
}
