package icws

import (
	"net/http"
	"reflect"
	"testing"
)

// FuzzPlainURL holds the requests of URLs that are read here to those of net/http.
func FuzzPlainURL(f *testing.F) {
	f.Add("http://ic1.example:8018", "123456", "/status/user-statuses/anna")
	f.Add("https://ic1.example", "a-b_c", "/status/user-statuses/a%20b?x=1")
	f.Add("http://[::1]:80", "1/../2", "//x")
	f.Add("http://a:b", "1", "/x#y")
	f.Add("http://a:", "1", "")
	f.Fuzz(func(t *testing.T, base, session, path string) {
		conn := Conn{Base: base, SessionID: session}
		k := call{method: http.MethodPut, path: path}
		got, err := conn.request(t.Context(), k)
		want, wantErr := request(t.Context(), k.method, conn.url(path), nil)
		if (err == nil) != (wantErr == nil) || !reflect.DeepEqual(got, want) {
			t.Errorf("the request of %q, %q, %q is %+v, %v; want %+v, %v", base, session, path, got, err, want, wantErr)
		}
	})
}

func TestUsualURLsArePlain(t *testing.T) {
	if plainURL("http://ic1.example:8018", "1234567890", "/status/user-statuses/anna") == nil {
		t.Error("the URL of a status is not taken for plain")
	}
}
