package icws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConnIsStoredWhole(t *testing.T) {
	stored, err := json.Marshal(testConn())
	if err != nil {
		t.Fatal(err)
	}
	var got Conn
	err = json.Unmarshal(stored, &got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(testConn(), got); diff != "" {
		t.Errorf("after a round trip (-want +got):\n%s", diff)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	conn, credentials := testConn(), anna
	var printed bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{conn, &conn, []Conn{conn}, struct{ C Conn }{conn}, credentials, &credentials, struct{ C Credentials }{credentials}} {
			fmt.Fprintf(&printed, verb+"\n", v)
		}
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&printed, nil), slog.NewJSONHandler(&printed, nil)} {
		slog.New(handler).Info("look", "conn", conn, "credentials", credentials)
	}
	for _, secret := range []string{conn.SessionID, conn.CSRFToken, "secret|", credentials.Password} {
		if strings.Contains(printed.String(), secret) {
			t.Errorf("%q was printed:\n%s", secret, printed.String())
		}
	}
	if want := `connection of user "Anna" at ic1.example:8018`; conn.String() != want {
		t.Errorf("String() = %s; want %s", conn, want)
	}
	_, err := json.Marshal(credentials)
	if err == nil {
		t.Error("credentials were written as JSON")
	}
}

func TestFeature(t *testing.T) {
	conn := testConn()
	if got := conn.Feature("messaging"); got != 2 {
		t.Errorf(`Feature("messaging") = %d; want 2`, got)
	}
	if got := conn.Feature("queues"); got != 0 {
		t.Errorf(`Feature("queues") = %d; want 0`, got)
	}
}
