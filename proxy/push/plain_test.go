package push

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlainMessages(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		plain      bool
	}{
		{"a connect", `[{"id":"3","channel":"/meta/connect","connectionType":"long-polling","clientId":"abc"}]`, true},
		{"with space between", "[ {\n\t\"id\" : \"3\" , \"channel\":\"/meta/connect\" } ]", true},
		{"with a field twice", `[{"id":"1","id":"2","channel":"a"}]`, true},
		{"another channel", `[{"id":"3","channel":"/meta/connect<&>","clientId":""}]`, true},
		{"with advice", `[{"id":"3","channel":"/meta/connect","advice":{"timeout":0}}]`, false},
		{"with an id that is a number", `[{"id":3,"channel":"/meta/connect"}]`, false},
		{"with escapes", `[{"id":"\u0033","channel":"\/meta/connect"}]`, false},
		{"beyond ASCII", `[{"id":"ü","channel":"/meta/connect"}]`, true},
		{"beyond UTF-8", "[{\"id\":\"\xfc\",\"channel\":\"/meta/connect\"}]", false},
		{"a name in capitals, which counts all the same", `[{"ID":"3","channel":"/meta/connect"}]`, false},
		{"two messages", `[{"id":"3"},{"id":"4"}]`, false},
		{"one without an array", `{"id":"3"}`, false},
		{"one without fields", `[{}]`, true},
		{"none", `[]`, false},
		{"nothing", ``, false},
		{"cut short", `[{"id":"3"`, false},
		{"with more behind it", `[{"id":"3"}]]`, false},
		{"with a comma too many", `[{"id":"3",}]`, false},
	} {
		_, plain := decodePlain([]byte(tt.text))
		if plain != tt.plain {
			t.Errorf("%s: decodePlain(%s) reports %v; want %v", tt.name, tt.text, plain, tt.plain)
		}
		samePlain(t, tt.text)
	}
}

// FuzzPlain holds what is read without encoding/json to what is read with it.
func FuzzPlain(f *testing.F) {
	for _, seed := range []string{
		`[{"id":"3","channel":"/meta/connect","connectionType":"long-polling","clientId":"abc"}]`,
		`[{"id":"","clientId":"a","clientId":"b"} ]`, `[{"id":"\u0000"}]`, "[{\"id\":\"\x00\"}]", `[{"id":"3",}]`, `[,{"id":"3"}]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(samePlain)
}

func samePlain(t *testing.T, text string) {
	t.Helper()
	got, plain := decodePlain([]byte(text))
	if !plain {
		return
	}
	var want []message
	err := json.Unmarshal([]byte(text), &want)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("decodePlain(%q): json.Unmarshal fails with %v, or has another (-want +got):\n%s", text, err, diff)
	}
	m := got[0]
	m.Channel = metaConnect
	r := m.reply()
	r.Successful = true
	sameReply(t, r)
}

// sameReply holds what is written of a reply to what encoding/json writes.
func sameReply(t *testing.T, r reply) {
	t.Helper()
	got, want := borrow(), borrow()
	defer got.giveBack()
	defer want.giveBack()
	err := got.encodeReply(&r)
	if err == nil {
		err = want.encode(&r)
	}
	if err != nil || got.String() != want.String() {
		t.Errorf("encodeReply(%+v) = %s, %v; encoding/json writes %s", r, got, err, want)
	}
}

// TestNoFieldOfAReplyIsForgotten sets each field of a reply that says that a connect went well.
func TestNoFieldOfAReplyIsForgotten(t *testing.T) {
	well := reply{ID: json.RawMessage(`"3"`), Channel: metaConnect, Successful: true}
	if !well.isPlain() {
		t.Fatal("a reply that says no more is not plain")
	}
	values := map[reflect.Type]any{
		reflect.TypeFor[json.RawMessage](): json.RawMessage(`{"a": "<b>"}`), reflect.TypeFor[string](): "x<", reflect.TypeFor[bool](): false,
		reflect.TypeFor[[]string](): []string{"x"}, reflect.TypeFor[*advice](): &advice{Reconnect: retry}, reflect.TypeFor[*ext](): &ext{Ack: 7},
	}
	for i := range reflect.TypeFor[reply]().NumField() {
		r := well
		field := reflect.ValueOf(&r).Elem().Field(i)
		field.Set(reflect.ValueOf(values[field.Type()]))
		sameReply(t, r)
	}
}

func BenchmarkDecode(b *testing.B) {
	text := []byte(`[{"id":"3","channel":"/meta/connect","connectionType":"long-polling","clientId":"0123456789abcdef0123456789abcdef"}]`)
	b.ReportAllocs()
	for b.Loop() {
		_, err := decode(text)
		if err != nil {
			b.Fatal(err)
		}
	}
}
