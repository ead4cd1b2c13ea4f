package native

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"portico/proxy/icws/icwssim"
	"portico/translate/icwsapi"
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

// A shelf is a site with a cache of its catalogue that has it when a test says so.
type shelf struct {
	*world
	held *proven
}

func newShelf(t testing.TB) *shelf {
	t.Helper()
	s := &shelf{newWorld(t, &icwssim.Server{IdleTimeout: -1}), &proven{}}
	s.site.Catalogues = s.held
	s.catchUp(s.now())
	return s
}

// now returns the catalogue that the site has.
func (s *shelf) now() string {
	s.t.Helper()
	status, body := s.opens("agent0002", "en-us").ask("GET", pathCatalogue+"?from=the+site")
	if status != http.StatusOK {
		s.t.Fatalf("the catalogue = %d %s", status, body)
	}
	return body
}

// change adds a status to the site's catalogue, and returns that.
func (s *shelf) change(id string) string {
	s.t.Helper()
	err := s.sim.ChangeCatalogue(icwssim.CatalogueChange{Add: []icwssim.StatusEdit{icwssim.NewStatus(id)}})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.now()
}

// catchUp has the cache hold a catalogue.
func (s *shelf) catchUp(body string) { s.held.bodies = map[string]string{"en-us": body} }

// reads has the application read the catalogue, which must be the one of these, and come from the cache or not.
func (a *app) reads(when string, want string, cached bool) {
	a.t.Helper()
	before := a.sim.Calls()[callCatalogue]
	_, body := a.ask("GET", pathCatalogue)
	if body != want {
		a.t.Errorf("%s the application reads %s; want %s", when, body, want)
	}
	if asked := a.sim.Calls()[callCatalogue] - before; (asked == 0) != cached {
		a.t.Errorf("%s the site was asked %d times; from the cache: want %v", when, asked, cached)
	}
}

// TestWhoIsToldOfTheCatalogueReadsNoOlderOne has the cache hear of changes later than an application, or sooner.
func TestWhoIsToldOfTheCatalogueReadsNoOlderOne(t *testing.T) {
	for name, listens := range map[string]func(*app) func(until string){
		"polls": func(a *app) func(string) {
			return func(until string) {
				if _, body := a.ask("GET", pathMessages); !strings.Contains(body, until) {
					a.t.Errorf("the application is told %s; want %q", body, until)
				}
			}
		},
		"an event stream": func(a *app) func(string) {
			stream := a.send(a.t.Context(), "GET", pathMessages, "text/event-stream")
			a.t.Cleanup(func() { _ = stream.Body.Close() })
			return func(until string) {
				var told bytes.Buffer
				for !strings.Contains(told.String(), until) || !bytes.HasSuffix(told.Bytes(), []byte("\n\n")) {
					_, err := io.CopyN(&told, stream.Body, 1)
					if err != nil {
						a.t.Fatalf("%v after %s", err, told.String())
					}
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShelf(t)
				first := s.now()
				anna, bea := s.opens("anna", "en-us"), s.opens("agent0001", "en-us")
				anna.subscribes()
				isTold := listens(anna)
				anna.reads("told the whole list, which the cache has,", first, true)

				second := s.change("At Sea")
				isTold("At Sea")
				anna.reads("told before the cache", second, false)
				anna.reads("while the cache is one behind", second, false)
				bea.reads("told nothing, beside one that was,", first, true)
				third := s.change("At Work")
				isTold("At Work")
				s.catchUp(second)
				anna.reads("told of two, of which the cache has one,", third, false)
				anna.reads("once more", third, false)
				s.catchUp(third)
				anna.reads("once the cache has both", third, true)
				s.catchUp(first)
				anna.reads("once the cache has another again", third, false)

				fourth := s.change("At Rest")
				s.catchUp(fourth)
				isTold("At Rest")
				anna.reads("told after the cache", fourth, false)
				for range 3 {
					anna.reads("told after the cache, once the site has said the same", fourth, true)
				}
			})
		})
	}
}

// TestTheFirstListMayBeNewerThanTheCache has an application be told the whole catalogue while the cache is behind.
func TestTheFirstListMayBeNewerThanTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t)
		anna := s.opens("anna", "en-us")
		second := s.change("At Sea")
		anna.subscribes()
		anna.reads("told another list than the cache has,", second, false)
		s.catchUp(second)
		anna.reads("once the cache has it", second, true)
	})
}

// TestAnAnswerFromBeforeATellingSaysNothing has an application be told of a change while an answer is under way.
func TestAnAnswerFromBeforeATellingSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t)
		first := s.now()
		anna := s.opens("anna", "en-us")
		anna.subscribes()
		s.change("At Sea")
		anna.ask("GET", pathMessages)
		s.catchUp("{}")
		res := anna.send(t.Context(), "GET", pathCatalogue, "")
		third := s.change("At Work")
		anna.ask("GET", pathMessages)
		said, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || string(said) == third || string(said) == first {
			t.Fatalf("the answer from before is %s (%v)", said, err)
		}
		s.catchUp(string(said))
		anna.reads("told of a change while an answer was under way,", third, false)
	})
}

// TestWhatIsReadAlongComesPlain has an application that takes compressed answers be told of the catalogue.
func TestWhatIsReadAlongComesPlain(t *testing.T) {
	sim := &icwssim.Server{IdleTimeout: -1}
	var asked []string
	w := newWorldOver(t, sim, roundTrip(func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodGet && strings.HasSuffix(req.URL.Path, pathCatalogue) {
			asked = append(asked, req.Header.Get("Accept-Encoding"))
		}
		return sim.Transport().RoundTrip(req)
	}))
	w.site.Catalogues = &proven{}
	anna := w.opens("anna", "en-us")
	reads := func() {
		req := w.request("GET", "/icws/"+anna.session+pathCatalogue, "")
		req.Header = http.Header{"Cookie": {anna.cookie}, "Inin-Icws-Csrf-Token": {anna.token}, "Accept-Encoding": {"gzip"}}
		res, err := w.Passage([]string{anna.host}).RoundTrip(req)
		if err != nil || res.StatusCode != 200 || req.Header.Get("Accept-Encoding") != "gzip" {
			t.Fatalf("GET = %v (%v), of a request with %v", res, err, req.Header)
		}
		_ = res.Body.Close()
	}
	reads()
	anna.subscribes()
	reads()
	if !slices.Equal(asked, []string{"gzip", "identity"}) {
		t.Errorf("the site was asked for the encodings %q; want another once the application was told", asked)
	}
}

// A roundTrip is an http.RoundTripper.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// TestTheCatalogueIsReadAlongInAnyOrder has a site list what the cache holds in another order, and in other words.
func TestTheCatalogueIsReadAlongInAnyOrder(t *testing.T) {
	const (
		siteSays = `{ "statusMessageList": [{"statusId":"b","messageText":"\u0042", "isAcdStatus":false,"new":1},{"statusId":"a"}] }`
		kept     = `{"statusMessageList":[{"statusId":"a","messageText":""},{"statusId":"b","messageText":"B"}]}`
		other    = `{"statusMessageList":[{"statusId":"a","messageText":""},{"statusId":"b","messageText":"C"}]}`
	)
	for name, c := range map[string]struct {
		body     string
		encoding string
		status   int
		want     bool
	}{
		"the same":     {kept, "", 200, false},
		"another":      {other, "", 200, true},
		"a failure":    {kept, "", 500, true},
		"compressed":   {kept, "gzip", 200, true},
		"none":         {"nonsense", "", 200, true},
		"an empty one": {`{"statusMessageList":[]}`, "", 200, true},
	} {
		session := &proof{}
		asked := session.tell()
		res := &http.Response{StatusCode: c.status, Header: http.Header{"Content-Encoding": {c.encoding}}, Body: io.NopCloser(iotest.OneByteReader(strings.NewReader(siteSays)))}
		readAlong(res, session, asked)
		passed, err := io.ReadAll(res.Body)
		if err != nil || string(passed) != siteSays {
			t.Errorf("%s: passed on %s (%v)", name, passed, err)
		}
		for range 2 {
			if got := session.knowsMore([]byte(c.body)); got != c.want {
				t.Errorf("%s: the application knows more: %v; want %v", name, got, c.want)
			}
		}
	}
}

// TestWhatIsTooLongIsNotReadAlong has a site say more than can be.
func TestWhatIsTooLongIsNotReadAlong(t *testing.T) {
	long := strings.Repeat(" ", longestCatalogue)
	session := &proof{}
	message := `{"__type":"urn:inin.com:status:statusMessagesMessage","isDelta":false` + long + `}`
	res := &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(message))}
	listen(res, session)
	n, err := io.Copy(io.Discard, res.Body)
	if err != nil || n != int64(len(message)) || !session.knowsMore([]byte(`{"statusMessageList":[]}`)) {
		t.Errorf("a long message: %d bytes passed on (%v); want it all, and nothing known of it", n, err)
	}
	res = &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("{}" + long))}
	readAlong(res, session, session.ahead.tellings)
	n, err = io.Copy(io.Discard, res.Body)
	if err != nil || n != 2+longestCatalogue || !session.knowsMore([]byte(`{"statusMessageList":[]}`)) {
		t.Errorf("a long answer: %d bytes passed on (%v); want it all, and nothing known of it", n, err)
	}
}

// TestAChangeThatTheCacheHadBefore has the site say nothing more of it: the cache is used again after a while.
func TestAChangeThatTheCacheHadBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t)
		s.catchUp(keptCatalogue)
		anna := s.opens("anna", "en-us")
		anna.subscribes()
		s.change("At Sea")
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

func TestWordsOfTheCatalogue(t *testing.T) {
	const (
		is    = `{"__type":"urn:inin.com:status:statusMessagesMessage","isDelta":true,"statusMessagesAdded":[]}`
		whole = `{"__type":"urn:inin.com:status:statusMessagesMessage","isDelta":false,"statusMessagesAdded":[{"statusId":"b"},{"statusId":"a"}]}`
		other = `{"__type":"urn:inin.com:status:userStatusMessage","isDelta":true}`
	)
	list := digest([]icwsapi.StatusMessage{{StatusID: "a"}, {StatusID: "b"}})
	for name, c := range map[string]struct {
		text string
		want int
		said uint64
	}{
		"a poll":                       {"[" + other + "," + is + "]", 1, 0},
		"a whole list":                 {"[" + whole + "]", 1, list},
		"a whole list among others":    {"[" + other + "," + whole + "," + other + "]\r\n", 1, list},
		"a second whole list":          {"data: " + whole + "\n\ndata: " + whole + "\n\n", 2, list},
		"a whole list, then a change":  {"data: " + whole + "\n\ndata: " + is + "\n\n", 2, 0},
		"the same in a poll":           {"[" + whole + "," + is + "]", 2, 0},
		"a whole list, another change": {"data: " + whole + "\n\ndata: " + other + "\n\n", 1, list},
		"the same with other ends":     {"data: " + whole + "\r\n\r\ndata: " + other + "\r\n\r\n", 1, list},
		"half of a list":               {"data: " + whole[:len(whole)-9], 1, 0},
		"a list in lines":              {strings.ReplaceAll(whole, ",", ",\r\n"), 1, 0},
		"another change":               {"[" + other + "]", 0, 0},
		"spaces":                       {strings.ReplaceAll(whole, ":", " :\t "), 1, list},
		"the order is another":         {`{"isDelta":true,"__type":"urn:inin.com:status:statusMessagesMessage"}`, 1, 0},
		"events":                       {"event: m\ndata: " + is + "\n\nevent: m\ndata: " + is + "\n\n", 2, 0},
		"nothing":                      {"", 0, 0},
	} {
		for way, of := range map[string]func(io.Reader) io.Reader{"at once": func(r io.Reader) io.Reader { return r }, "by the byte": iotest.OneByteReader, "by halves": iotest.HalfReader} {
			session := &proof{}
			res := &http.Response{StatusCode: 200, Body: io.NopCloser(of(strings.NewReader(c.text)))}
			listen(res, session)
			passed, err := io.ReadAll(res.Body)
			if err != nil || string(passed) != c.text || session.ahead.tellings != c.want || session.ahead.said != c.said {
				t.Errorf("%s, %s: told %d times (%v), of a list %v, and passed on %q; want %d, %v", name, way, session.ahead.tellings, err, session.ahead.said != 0, passed, c.want, c.said != 0)
			}
		}
	}
}

// TestCompressedMessagesMayTellOfTheCatalogue has a site compress what it tells: each time that something comes.
func TestCompressedMessagesMayTellOfTheCatalogue(t *testing.T) {
	session := &proof{}
	res := &http.Response{StatusCode: 200, Header: http.Header{"Content-Encoding": {"gzip"}}, Body: io.NopCloser(iotest.OneByteReader(strings.NewReader("xyz")))}
	listen(res, session)
	passed, err := io.ReadAll(res.Body)
	if session.ahead.tellings != 3 || string(passed) != "xyz" || err != nil {
		t.Errorf("told %d times, and passed on %q (%v); want 3", session.ahead.tellings, passed, err)
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
