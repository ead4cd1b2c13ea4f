package push

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// FuzzBatch sends what a stranger may send. Whatever it is, the answer is an HTTP error, or an array
// with one reply for each message, in order, each with its id.
func FuzzBatch(f *testing.F) {
	for _, seed := range []string{
		`[{"id":"1","channel":"/meta/handshake","ext":{"ack":true}}]`,
		`[{"id":"2","channel":"/meta/connect","clientId":"CLIENT","advice":{"timeout":0,"interval":-1},"ext":{"ack":7}}]`,
		`[{"id":3,"channel":"/meta/subscribe","clientId":"CLIENT","subscription":["/a","/**"]},{"channel":"/meta/connect","clientId":"CLIENT"}]`,
		`[{"id":[],"channel":"/meta/unsubscribe","clientId":"CLIENT","subscription":"/a"}]`,
		`{"id":{"a":"\ud800"},"channel":"/x","data":null,"clientId":"CLIENT"}`,
		`[{"channel":"/meta/disconnect","clientId":"CLIENT"},{"channel":"/meta/connect","clientId":"CLIENT"},null]`,
		`message=[{"channel":"/x"}]&message={}`,
		"[", "{}", "[]", "null", "7", "\xff",
	} {
		f.Add("application/json", seed)
		f.Add("application/x-www-form-urlencoded", seed)
	}
	f.Fuzz(func(t *testing.T, contentType, body string) {
		s := newServer(t, Options{AckExtension: true})
		p := open(t, s, "anna")
		body = strings.ReplaceAll(body, "CLIENT", p.id)
		c := send(s, "anna", body, with("Content-Type", contentType))
		<-c.done
		batch, err := decodeBody(contentType, []byte(body))
		if err == nil {
			err = s.check(batch)
		}
		if err != nil {
			if c.Code < 400 || c.Code >= 500 {
				t.Errorf("answer to %q = %d; want a refusal", body, c.Code)
			}
			return
		}
		checkReplies(t, c, batch)
	})
}

// checkReplies holds the answer to what every answer must be.
func checkReplies(t *testing.T, c *call, batch []message) {
	t.Helper()
	var replies []map[string]json.RawMessage
	err := json.Unmarshal(c.Body.Bytes(), &replies)
	if err != nil || c.Code != http.StatusOK || len(replies) != len(batch) {
		t.Fatalf("answer = %d %s, %v; want %d replies", c.Code, c.Body, err, len(batch))
	}
	for i, m := range batch {
		if replies[i]["successful"] == nil {
			t.Errorf("reply %s; want successful in it", c.Body)
		}
		if !isNull(m.ID) && normal(t, replies[i]["id"]) != normal(t, m.ID) {
			t.Errorf("reply's id = %s; want %s", replies[i]["id"], m.ID)
		}
	}
}

// normal returns JSON in one of its many forms.
func normal(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	text, err := json.Marshal(raw)
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	return string(text)
}
