package native

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/icws/icwssim"
)

// A guess counts for the user whom the site tries, however a stranger spells the body.
func TestAGuessIsCountedForWhomTheSiteTries(t *testing.T) {
	const head = `{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"Own","password":"wrong"`
	for body, want := range map[string]string{
		head + `,"userID":"anna"}`:                      "anna",
		head + `,"\u0075serID":" Anna "}`:               "anna",
		"\xef\xbb\xbf" + head + `,"userid":"anna"}`:     "anna",
		head + `,"userID":"anna"} and more`:             "anna",
		head + `,"userID":1001}`:                        "1001",
		head + `,"more":{"userID":"cleo"}}`:             "",
		`"userID"`:                                      "",
		``:                                              "",
		head + `,"userID":"anna","userid":"u0"}`:        "refused",
		head + `,"userID":"anna","userID":"u0"}`:        "refused",
		head + `,"userID":"anna","u\u017fer\u0049D":0}`: "refused",
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, &icwssim.Server{})
			var names []string
			w.site.Logins.Enter = func(_ context.Context, name string, _ netip.Addr) (func(), error) {
				names = append(names, name)
				return func() {}, nil
			}
			req := w.request(http.MethodPost, "/icws/connection", body)
			res, err := w.Passage(nil).RoundTrip(req)
			if want == "refused" {
				if fault.KindOf(err) != fault.Invalid || len(w.sim.Calls()) > 0 {
					t.Errorf("%s: %v, and %v at the site; want %v and nothing", body, err, w.sim.Calls(), fault.Invalid)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			if len(names) == 0 || names[0] != want {
				t.Errorf("%s counts for %q; want %q", body, names, want)
			}
		})
	}
}

func TestAGuessCountsWhoseCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		err := w.sim.Fault(icwssim.Fault{Route: "POST /icws/connection", Delay: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		counted := 0
		w.site.Logins.Tried = func(ctx context.Context, _ string, _ netip.Addr, err error) {
			if ctx.Err() == nil && err != nil { // else a store that replicas share is not asked
				counted++
			}
		}
		const body = `{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"Own","userID":"anna","password":"wrong"}`
		req := w.request(http.MethodPost, "/icws/connection", body)
		req.Header.Set("Accept-Language", "de")
		ctx, leave := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer leave()
		_, _ = w.Passage(nil).RoundTrip(req.WithContext(ctx))
		if counted != 1 {
			t.Errorf("%d wrong passwords are counted; want 1", counted)
		}
	})
}

// A name that a site may read as another's is refused as any wrong credentials are: the site is not asked, and it
// counts for the address alone.
func TestNamesOfNoAccountAreRefused(t *testing.T) {
	for name, known := range map[string]bool{`anna\u0000`: false, `\u200banna`: false, `anna\ufeff`: false, `an\u00adna`: false, `an\tna`: false, `anna\t`: true, `\u00e4nna`: true, `an na`: true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, &icwssim.Server{})
			var counted []string
			w.site.Logins.Tried = func(_ context.Context, name string, _ netip.Addr, err error) {
				counted = append(counted, fmt.Sprint(name, " ", err))
			}
			try := func(name string) string {
				req := w.request(http.MethodPost, "/icws/connection", `{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"Own","password":"x","userID":"`+name+`"}`)
				req.Header.Set("Accept-Language", "en-us")
				res, err := w.Passage(nil).RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(res.Body)
				return fmt.Sprintf("%d %s %s", res.StatusCode, res.Header.Get("Content-Type"), body)
			}
			got := try(name)
			asked := len(w.sim.Calls()) > 0
			if asked != known || !known && !slices.Equal(counted, []string{" Access denied"}) {
				t.Errorf("%s: the site is asked %v, and %q counted; want %v and the address", name, asked, counted, known)
			}
			if want := try("anna"); got != want {
				t.Errorf("%s is refused with %s; want %s", name, got, want)
			}
		})
	}
}
