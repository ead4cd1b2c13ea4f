package proxy

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"portico/proxy/upstream"
)

// A cable is the network between Portico and a site, as a proxy of TCP that can be told to be a bad one.
type cable struct {
	t      testing.TB
	server *toxiproxy.ApiServer
	real   *toxiproxy.Proxy
}

// newCable lays a good cable to a site until the test ends, and returns it and the URL of its near end.
func newCable(t testing.TB, site string) (*cable, string) {
	t.Helper()
	far, err := url.Parse(site)
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{t: t, server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())}
	c.lay("127.0.0.1:0", far.Host)
	t.Cleanup(func() { c.real.Stop() })
	return c, "http://" + c.real.Listen
}

func (c *cable) lay(near, far string) {
	c.t.Helper()
	c.real = toxiproxy.NewProxy(c.server, "cable", near, far)
	err := c.real.Start()
	if err != nil {
		c.t.Fatal(err)
	}
}

// spoil makes the cable a bad one, for the connections there are too.
func (c *cable) spoil(toxic string) {
	c.t.Helper()
	_, err := c.real.Toxics.AddToxicJson(strings.NewReader(toxic))
	if err != nil {
		c.t.Fatal(err)
	}
}

// replace lays a good cable in place of a bad one.
func (c *cable) replace() {
	c.t.Helper()
	c.real.Stop()
	c.lay(c.real.Listen, c.real.Upstream)
}

// TestBadNetworks has agents of both kinds of site work over networks that are bad in every way. Where
// all arrives in the end, everything works; where it does not, callers are told, and no half of a
// download looks like a whole one. Over a good network all is well again by itself.
func TestBadNetworks(t *testing.T) {
	for name, network := range map[string]struct {
		toxic string
		works bool // all arrives in the end
		short bool // what is short may arrive
	}{
		"latency and jitter":                 {toxic: `{"type":"latency","attributes":{"latency":30,"jitter":25}}`, works: true},
		"slicing":                            {toxic: `{"type":"slicer","attributes":{"average_size":400,"size_variation":200,"delay":50}}`, works: true},
		"low bandwidth":                      {toxic: `{"type":"bandwidth","attributes":{"rate":400}}`, works: true}, // KB/s
		"resets":                             {toxic: `{"type":"reset_peer","attributes":{"timeout":0}}`},
		"half-open connections":              {toxic: `{"type":"timeout","attributes":{"timeout":0}}`},
		"connections cut in an answer":       {toxic: `{"type":"limit_data","attributes":{"bytes":100}}`},
		"connections cut in a long download": {toxic: `{"type":"limit_data","attributes":{"bytes":20000}}`, short: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, cables := newNetworked(t, network.works)
			agents := []*networked{w.works(&sides[0]), w.works(&sides[1])}
			for _, c := range cables {
				c.spoil(network.toxic)
			}
			together(len(agents), func(i int) {
				if network.works {
					agents[i].isWell()
				} else {
					agents[i].suffers(network.short)
				}
			})
			for _, c := range cables {
				c.replace()
			}
			together(len(agents), func(i int) { agents[i].isWell() })
		})
	}
}

// newNetworked returns a world with a cable to each site. Calls have long to answer where they are to
// be answered, so that a busy machine fails none of them.
func newNetworked(t *testing.T, works bool) (*world, []*cable) {
	t.Helper()
	var cables []*cable
	lay := func(site http.Handler) ([]string, *http.Transport) {
		far, transport := serve(t, site)
		laid, near := newCable(t, far)
		cables = append(cables, laid)
		return []string{near}, transport
	}
	w := newPushing(t, func(k *knobs) {
		k.timeout = 3 * time.Second
		if works {
			k.timeout = 30 * time.Second
		}
		bases, transport := lay(k.sim)
		k.icws.Bases, k.icws.HTTP, k.icws.Calls = bases, transport, &upstream.Calls{Transport: transport}
		k.htcc.Bases, k.htcc.HTTP = lay(k.cloud)
	})
	return w, cables
}

// soon is how long what must come may take on a busy machine: a reader that has failed a few times takes longest.
const soon = 30 * time.Second

// A networked is an agent at work over a cable.
type networked struct {
	*caller
	at    *side
	comet *comet
}

// works lets the agent of a side begin to work.
func (w *world) works(at *side) *networked {
	w.t.Helper()
	app := w.as(at.agent)
	app.begins(at, at.agent)
	return &networked{app, at, app.listens()}
}

// isWell waits until a write goes through, and the site, the next read and what the application was told
// agree; then the same of a change at the site. A download is whole.
func (n *networked) isWell() {
	n.t.Helper()
	patiently(n.t, soon, "a write goes through", func() bool {
		return n.post("/api/v2/me", `{"operationName":"NotReady"}`).body == `{"statusCode":0}`
	})
	n.agrees("after a write", "NotReady")
	n.at.alter(n.world, n.at.agent)
	n.agrees("after a change at the site", "Lunch")
	if n.at.site == cloud {
		patiently(n.t, soon, "a download is whole", func() bool {
			status, whole := n.downloads()
			return status == http.StatusOK && whole
		})
	}
}

func (n *networked) agrees(when, want string) {
	n.t.Helper()
	patiently(n.t, soon, when+" all show "+want, func() bool {
		got := n.get("/api/v2/me?subresources=devices,channels")
		return got.status == http.StatusOK && got.seen(n.t) == want && n.comet.seen() == want && n.at.holds(n.world, n.at.agent) == want
	})
}

// suffers asks for what cannot be had, and holds what the caller is told to be one of the failures of a
// site, without a word of its own. What is short may arrive all the same.
func (n *networked) suffers(short bool) {
	n.t.Helper()
	got := n.post("/api/v2/me", n.at.lunch)
	arrived := short && got.status == http.StatusOK
	if !arrived && !slices.Contains([]string{unreachable, tooLate, badUpstream}, n.failure(got)) {
		n.t.Errorf("%s: a write = %d %s; want a failure of the site", n.at.site, got.status, got.body)
	}
	clean(n.t, got)
	if n.at.site == cloud {
		if status, whole := n.downloads(); status == http.StatusOK && whole {
			n.t.Error("a download is whole")
		}
	}
}

// failure returns the text of an answer that says what failed, "" of any other.
func (n *networked) failure(a answer) string {
	if a.status < http.StatusInternalServerError {
		return ""
	}
	_, text, _ := strings.Cut(strings.TrimSuffix(a.failed(n.t), ", Retry-After"), " ")
	return text
}

// downloads reads a document that is passed through, and says whether it came whole. One that ends early
// without an error is a failure of the test.
func (n *networked) downloads() (status int, whole bool) {
	n.t.Helper()
	const size = 100_000
	response, err := n.send(n.t.Context(), http.MethodGet, "/api/v2/documents/7/content?size=100000", nil)
	if err != nil {
		return 0, false
	}
	defer response.Body.Close()
	sum := sha256.New()
	length, err := io.Copy(sum, response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return response.StatusCode, false
	}
	_, want := sumOf(n.t, document(size))
	if length != size || hex.EncodeToString(sum.Sum(nil)) != want {
		n.t.Errorf("a download ends well after %d bytes of %d, or is another document", length, size)
	}
	return response.StatusCode, true
}
