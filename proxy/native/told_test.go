package native

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"portico/proxy/icws/icwssim"
)

const pathMessages = "/messaging/messages"

// subscribes has the application told of the catalogue, and takes what it is told first.
func (a *app) subscribes() {
	a.t.Helper()
	if status, body := a.ask("PUT", "/messaging/subscriptions/status/status-messages"); status/100 != 2 {
		a.t.Fatalf("subscribe = %d %s", status, body)
	}
	a.ask("GET", pathMessages)
}

// TestWhoIsToldOfAChangeReadsItsOutcome has an application hear of a change of the catalogue before the cache has it.
func TestWhoIsToldOfAChangeReadsItsOutcome(t *testing.T) {
	change := func(t testing.TB, w *world, id string) {
		t.Helper()
		err := w.sim.ChangeCatalogue(icwssim.CatalogueChange{Add: []icwssim.StatusEdit{icwssim.NewStatus(id)}})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, hear := range map[string]func(*app){
		"polls": func(a *app) {
			change(a.t, a.world, "At Sea")
			if _, body := a.ask("GET", pathMessages); !strings.Contains(body, "At Sea") {
				a.t.Errorf("the application is told %s", body)
			}
		},
		"an event stream": func(a *app) {
			stream := a.send(a.t.Context(), "GET", pathMessages, "text/event-stream")
			a.t.Cleanup(func() { _ = stream.Body.Close() })
			change(a.t, a.world, "At Sea")
			var told bytes.Buffer
			for !strings.Contains(told.String(), "At Sea") {
				_, err := io.CopyN(&told, stream.Body, 1)
				if err != nil {
					a.t.Fatalf("%v after %s", err, told.String())
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, &icwssim.Server{IdleTimeout: -1})
				held := &proven{bodies: map[string]string{"en-us": keptCatalogue}}
				w.site.Catalogues = held
				anna, bea := w.opens("anna", "en-us"), w.opens("agent0001", "en-us")
				anna.subscribes()
				if !anna.fromCache() {
					t.Error("the whole list that comes first was taken for a change")
				}
				hear(anna)
				if anna.fromCache() {
					t.Error("an application that was told of a change was given the catalogue of before")
				}
				if !bea.fromCache() {
					t.Error("one that was told nothing has lost the cache")
				}
				held.bodies["en-us"] = `{"statusMessageList":[{"statusId":"At Sea"}]}`
				if _, body := anna.ask("GET", pathCatalogue); body != held.bodies["en-us"] {
					t.Errorf("once the cache has another, it comes from the site: %s", body)
				}
				held.bodies["en-us"] = keptCatalogue
				if !anna.fromCache() {
					t.Error("once the cache has had another the application knows no more than that")
				}
			})
		})
	}
}

// TestAChangeThatTheCacheHadBefore has the cache not change any more: it is used again after a while.
func TestAChangeThatTheCacheHadBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{IdleTimeout: -1})
		w.site.Catalogues = &proven{bodies: map[string]string{"en-us": keptCatalogue}}
		anna := w.opens("anna", "en-us")
		anna.subscribes()
		err := w.sim.ChangeCatalogue(icwssim.CatalogueChange{Add: []icwssim.StatusEdit{icwssim.NewStatus("At Sea")}})
		if err != nil {
			t.Fatal(err)
		}
		anna.ask("GET", pathMessages)
		time.Sleep(aheadFor - time.Second)
		anna.ask("GET", pathMessages) // so that the session is known to live
		if anna.fromCache() {
			t.Error("the cache is used before it can be known to have the change")
		}
		time.Sleep(2 * time.Second)
		if !anna.fromCache() {
			t.Error("the cache is not used again")
		}
	})
}

func TestWordsOfAChange(t *testing.T) {
	const (
		is      = `{"__type":"urn:inin.com:status:statusMessagesMessage","isDelta":true,"statusMessagesAdded":[]}`
		isFirst = `{"__type":"urn:inin.com:status:statusMessagesMessage","isDelta":false,"statusMessagesAdded":[]}`
		other   = `{"__type":"urn:inin.com:status:userStatusMessage","isDelta":true}`
	)
	for name, c := range map[string]struct {
		text string
		want int
	}{
		"a poll":                         {"[" + other + "," + is + "]", 1},
		"the first list":                 {"[" + isFirst + "]", 0},
		"a second whole list":            {"data: " + isFirst + "\n\ndata: " + isFirst + "\n\n", 1},
		"a first list, then a change":    {"data: " + isFirst + "\n\ndata: " + is + "\n\n", 1},
		"many spaces":                    {strings.ReplaceAll(is, ":true", "  :\t true"), 1},
		"another change":                 {"[" + other + "]", 0},
		"spaces":                         {strings.ReplaceAll(is, ":true", ": true"), 1},
		"lines":                          {strings.ReplaceAll(is, ",", ",\r\n"), 1},
		"the order is another":           {`{"isDelta":true,"__type":"urn:inin.com:status:statusMessagesMessage"}`, 1},
		"events":                         {"event: m\ndata: " + is + "\n\nevent: m\ndata: " + is + "\n\n", 2},
		"the first list, another change": {"data: " + isFirst + "\n\ndata: " + other + "\n\n", 0},
		"the same with other ends":       {"data: " + isFirst + "\r\n\r\ndata: " + other + "\r\n\r\n", 0},
		"a long list":                    {`{"__type":"urn:inin.com:status:statusMessagesMessage","x":"` + strings.Repeat("x", 100_000) + `","isDelta":true}`, 1},
		"nothing":                        {"", 0},
	} {
		for way, of := range map[string]func(io.Reader) io.Reader{"at once": func(r io.Reader) io.Reader { return r }, "by the byte": iotest.OneByteReader, "by halves": iotest.HalfReader} {
			told := 0
			res := &http.Response{StatusCode: 200, Body: io.NopCloser(of(strings.NewReader(c.text)))}
			session := &proof{}
			session.subscribes()
			listen(res, session, func() { told++ })
			passed, err := io.ReadAll(res.Body)
			if err != nil || string(passed) != c.text || told != c.want {
				t.Errorf("%s, %s: told of %d changes (%v), and passed on %q; want %d", name, way, told, err, passed, c.want)
			}
		}
	}
}

// TestCompressedMessagesMayTellOfAChange has a site compress what it tells.
func TestCompressedMessagesMayTellOfAChange(t *testing.T) {
	told := 0
	res := &http.Response{StatusCode: 200, Header: http.Header{"Content-Encoding": {"gzip"}}, Body: http.NoBody}
	listen(res, &proof{}, func() { told++ })
	if told != 1 {
		t.Errorf("told of %d changes; want one", told)
	}
}

// TestAnEndedSessionIsNotProven has an application ask for the state of its connection, which the site tells also once
// the session has ended.
func TestAnEndedSessionIsNotProven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{RememberEnded: true})
		w.site.Catalogues = &proven{bodies: map[string]string{"en-us": keptCatalogue}}
		anna := w.opens("anna", "en-us")
		err := w.sim.Fault(icwssim.Fault{Scenario: "force-logoff", User: "anna"})
		if err != nil {
			t.Fatal(err)
		}
		anna.ask("GET", "/status/user-statuses/anna")
		if status, body := anna.ask("GET", "/connection"); status != 200 || !strings.Contains(body, `"connectionState":2`) {
			t.Fatalf("GET = %d %s; want the state of a connection that is down", status, body)
		}
		if anna.fromCache() {
			t.Error("a session that has ended was served from the cache")
		}
	})
}
