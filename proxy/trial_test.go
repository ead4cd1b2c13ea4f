package proxy

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A trial is one row of the matrix: an operation during a fault. It runs in a synctest bubble, so that
// all times are exact and no goroutine can be left.
type trial struct {
	*world
	wire      *wire
	at        *side
	bad       *trouble
	operation string

	app    *caller   // of the agent
	others []*caller // of the crowd
	comet  *comet    // of app; nil before the log-in
	took   time.Duration
}

func newTrial(t *testing.T, at *side, bad *trouble, operation string) *trial {
	t.Helper()
	world, wire := newTroubled(t, at, bad.knobs)
	x := &trial{world: world, wire: wire, at: at, bad: bad, operation: operation, app: world.as(at.agent)}
	for _, other := range at.crowd() {
		x.others = append(x.others, world.as(other))
	}
	return x
}

// play plays the trial and returns what came of it.
func (x *trial) play() cells {
	var got cells
	if x.operation != "login" {
		x.begins(x.app)
		together(len(x.others), func(i int) { x.others[i].begins(x.at, x.at.crowd()[i]) })
		time.Sleep(troubledLimits.BreakerWithin) // so that no breaker counts what went well before
	}
	_, before := x.wire.sent()
	x.goesWrong()
	end := time.Now().Add(troubled)
	time.Sleep(time.Second)
	got.gets, got.calls = x.during()
	got.breaker = x.crowded(got)
	time.Sleep(time.Until(end))
	x.isMended()
	time.Sleep(time.Minute)
	got.after = x.afterwards()
	_, logins := x.wire.sent()
	got.logins = strconv.Itoa(logins - before)
	return got
}

// begins lets the agent begin to work, with an application that holds a connect.
func (x *trial) begins(app *caller) {
	x.t.Helper()
	app.begins(x.at, x.at.agent)
	x.comet = app.listens()
	time.Sleep(time.Second)
	if got := x.comet.seen(); got != "Ready" {
		x.t.Fatalf("before the fault %q is shown; want Ready", got)
	}
}

func (x *trial) goesWrong() {
	x.t.Helper()
	if x.bad.wire != nil {
		x.bad.wire(x.wire)
	}
	for _, f := range x.bad.faults {
		err := x.at.fault(x.world, f)
		if err != nil {
			x.t.Fatal(err)
		}
	}
}

func (x *trial) isMended() {
	x.wire.mend()
	x.sim.Reset()
	x.cloud.Reset()
}

// during carries the operation out, and returns what the caller gets and how many calls it took.
func (x *trial) during() (gets, calls string) {
	before, _ := x.wire.sent()
	began := time.Now()
	if x.operation == "stream" {
		gets = x.told(began)
	} else {
		gets = x.answered(x.app)
		x.took = time.Since(began)
	}
	after, _ := x.wire.sent()
	return gets, strconv.Itoa(after - before)
}

// answered says what an application is answered.
func (x *trial) answered(app *caller) string {
	x.t.Helper()
	var got answer
	switch x.operation {
	case "login", "read":
		got = app.get("/api/v2/me?subresources=devices,channels")
	case "write":
		got = app.post("/api/v2/me", x.at.lunch)
	case "catalogue":
		got = app.get(x.at.list)
	}
	switch {
	case got.status != http.StatusOK:
		return got.failed(x.t)
	case x.operation == "read", x.operation == "login":
		return "200, " + got.seen(x.t)
	case x.operation == "write" && got.body != `{"statusCode":0}`:
		return "200 " + got.body
	case got.header.Get("Warning") != "":
		return "200, stale"
	}
	return "200"
}

// told has another client change the agent's state, and says what the application has been told of it
// after a while.
func (x *trial) told(began time.Time) string {
	x.at.alter(x.world, x.at.agent)
	last, known := "Ready", -1
	for time.Since(began) < 20*time.Second {
		_, n := x.comet.knows()
		if n > known || x.comet.over() && !strings.HasPrefix(last, "advice") {
			if now := x.comet.seen(); now != last {
				last, x.took = now, time.Since(began)
			}
			known = n
		}
		time.Sleep(50 * time.Millisecond)
	}
	if last == "Ready" {
		return "told nothing"
	}
	return "told " + last
}

// crowded has the other agents do the same all at once, and returns what that does to the breaker. As
// soon as it is open the agent is answered at once: as before if that went well, else without a call that
// the site is out of reach and when to come again.
func (x *trial) crowded(first cells) string {
	x.t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if x.operation != "stream" {
			together(len(x.others), func(i int) { x.answered(x.others[i]) })
		}
	}()
	for x.breaker() != "open" {
		select {
		case <-done:
			return x.breaker()
		case <-time.After(250 * time.Millisecond):
		}
	}
	if x.operation != "stream" {
		x.shortened(first)
	}
	<-done
	return "open"
}

// shortened holds what the agent is answered while the breaker is open.
func (x *trial) shortened(first cells) {
	x.t.Helper()
	want := first.gets
	if !strings.HasPrefix(want, "200") {
		want = "503/4 " + unreachable + ", Retry-After"
	}
	before, _ := x.wire.sent()
	began := time.Now()
	got := x.answered(x.app)
	after, _ := x.wire.sent()
	if got != want || after != before && want != first.gets || time.Since(began) > atOnce {
		x.t.Errorf("with an open breaker the caller gets %s after %v and %d calls; want %s at once and none", got, time.Since(began), after-before, want)
	}
}

// breaker returns the state of the breaker of the site's first host.
func (x *trial) breaker() string {
	x.t.Helper()
	host := map[string]string{site: "ic1.example", cloud: "gws1.example"}[x.at.site]
	for series, is := range counts(x.t, x.reg, "portico_breaker_state") {
		state, ofHost := strings.CutPrefix(series, host+" "+x.at.site+" ")
		if ofHost && is == 1 {
			return state
		}
	}
	return "none"
}

// afterwards returns what is shown when all is to be well again, and holds that it is: the site holds
// what is shown, a write goes through, and what changes there is told.
func (x *trial) afterwards() string {
	x.t.Helper()
	how := ""
	switch {
	case x.comet == nil:
		x.begins(x.app)
	case x.comet.over():
		how = ", by a new log-in"
		x.comet = x.app.listens()
	}
	shown := x.app.get("/api/v2/me?subresources=devices,channels").seen(x.t)
	before, _ := x.wire.sent()
	x.agrees("afterwards", shown)
	if after, _ := x.wire.sent(); after != before {
		x.t.Errorf("afterwards a read takes %d calls; want none", after-before)
	}
	x.app.post("/api/v2/me", `{"operationName":"NotReady"}`).is(x.t, "a write afterwards", http.StatusOK, `{"statusCode":0}`)
	time.Sleep(10 * time.Second)
	x.agrees("after a write", "NotReady")
	x.at.alter(x.world, x.at.agent)
	time.Sleep(10 * time.Second)
	x.agrees("after a change elsewhere", "Lunch")
	if n := x.at.open(x.world, x.at.agent); n != 1 {
		x.t.Errorf("afterwards the agent has %d sessions at the site; want one", n)
	}
	return shown + how
}

// agrees holds what is read, what was told, and what the site holds to want.
func (x *trial) agrees(when, want string) {
	x.t.Helper()
	read, told, held := x.app.get("/api/v2/me?subresources=devices,channels").seen(x.t), x.comet.seen(), x.at.holds(x.world, x.at.agent)
	if read != want || told != want || held != want {
		x.t.Errorf("%s /me shows %s, the application was told %s, the site holds %s; want %s", when, read, told, held, want)
	}
}

// failed says what an answer that is an error tells.
func (a answer) failed(t testing.TB) string {
	t.Helper()
	var body struct {
		StatusCode    int
		StatusMessage string
	}
	recode(t, decodeAny(t, a.body), &body)
	text := fmt.Sprintf("%d/%d %s", a.status, body.StatusCode, body.StatusMessage)
	if a.header.Get("Retry-After") != "" {
		text += ", Retry-After"
	}
	return text
}

// atOnce is as long as nobody notices.
const atOnce = 100 * time.Millisecond

// is holds what came of a trial to what the README says.
func (x *trial) is(got, want cells) {
	x.t.Helper()
	for _, cell := range []struct{ column, got, want string }{
		{"the caller gets", got.gets, want.gets}, {"breaker", got.breaker, want.breaker}, {"afterwards", got.after, want.after}} {
		if !slices.Contains(strings.Split(cell.want, ", or then "), cell.got) {
			x.t.Errorf("%s: %s; want %s", cell.column, cell.got, cell.want)
		}
	}
	for _, cell := range []struct{ column, got, want string }{{"calls", got.calls, want.calls}, {"log-ins", got.logins, want.logins}} {
		if !fits(cell.got, cell.want) {
			x.t.Errorf("%s: %s; want %s", cell.column, cell.got, cell.want)
		}
	}
	if most := longest(x.t, want.within); x.took > most {
		x.t.Errorf("it took %v; want %v", x.took, most)
	}
}

// fits reports whether a number is the one wanted, or no more than it if that says ≤.
func fits(got, want string) bool {
	most, isBound := strings.CutPrefix(want, "≤ ")
	n, _ := strconv.Atoi(got)
	bound, err := strconv.Atoi(most)
	return err == nil && (n == bound || isBound && n < bound)
}

// longest reads how long something may take: at once, a number of seconds, or a dash where nothing
// happens.
func longest(t testing.TB, within string) time.Duration {
	t.Helper()
	switch within {
	case "at once":
		return atOnce
	case "—":
		return 0
	}
	most, err := time.ParseDuration(strings.ReplaceAll(within, " ", ""))
	if err != nil {
		t.Fatalf("README.md says %q; want at once, or a duration", within)
	}
	return most
}
