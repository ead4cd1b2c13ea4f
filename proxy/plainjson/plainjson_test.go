package plainjson

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A kind has a member of each kind that is read.
type kind struct {
	Text  string
	Texts []string
	Yes   bool
	Null  *int
}

// read reads a kind, whose names it compares exactly.
func read(text []byte) (kind, bool) {
	r := Read(text)
	var k kind
	r.Object(func(name []byte) {
		switch string(name) {
		case "Text":
			k.Text = r.Text()
		case "Texts":
			k.Texts = []string{}
			r.List(func() { k.Texts = append(k.Texts, string(r.Raw())) })
		case "Yes":
			k.Yes = r.Bool()
		case "Null":
			r.Null()
		default:
			r.Leave()
		}
	})
	return k, r.End()
}

func TestWhatIsPlain(t *testing.T) {
	for text, plain := range map[string]bool{
		`{}`: true, ` { "Text" : "ä" , "Texts" : [ ] , "Yes" : true , "Null" : null } `: true, `{"Texts":["a","b"],"Yes":false}`: true,
		``: false, `[]`: false, `{`: false, `{}x`: false, `{"Text":"\u0061"}`: false, `{"Text":"a}`: false, "{\"Text\":\"\n\"}": false, "{\"Text\":\"\xff\"}": false,
		`{"Text":1}`: false, `{"Text"}`: false, `{"Text":"a",}`: false, `{"Text":"a" "Yes":true}`: false, `{"Yes":yes}`: false, `{"Null":0}`: false, `{"Texts":["a",]}`: false,
		`{"text":"a"}`: false, `{Text:"a"}`: false, `{"Texts":["a"}`: false, `null`: false,
	} {
		if _, got := read([]byte(text)); got != plain {
			t.Errorf("%s: plain is %v; want %v", text, got, plain)
		}
	}
}

// FuzzRead holds what is plain to what encoding/json reads.
func FuzzRead(f *testing.F) {
	for _, text := range []string{`{}`, `{"Text":"a","Texts":["b","c"],"Yes":true,"Null":null}`, `{"Text":"a","Text":"b"}`, `{"Texts":[]} x`, `{"Text":"\n"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, plain := read(text)
		if !plain {
			return
		}
		var want kind
		err := json.Unmarshal(text, &want)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v (-encoding/json +ours):\n%s", text, err, diff)
		}
	})
}
