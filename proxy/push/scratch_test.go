package push

import (
	"strings"
	"testing"
)

func TestWhatIsEncodedIsNobodyElses(t *testing.T) {
	text := func(data any) ([]byte, error) { return (&Publication{Channel: "/a", Data: data}).text() }
	first, err := text("first")
	if err != nil {
		t.Fatal(err)
	}
	_, err = text(func() {})
	if err == nil {
		t.Error("a function was encoded")
	}
	second, err := text("<second>")
	if err != nil || string(first) != `{"data":"first","channel":"/a"}` || string(second) != `{"data":"<second>","channel":"/a"}` {
		t.Errorf("encoded %s and %s, %v", first, second, err)
	}
}

// A buffer that a failed write may still be reading is not used again.
func TestAnAnswerThatWasNotWrittenKeepsItsBuffer(t *testing.T) {
	for _, written := range []bool{true, false} {
		s := newServer(t, Options{})
		p := ready(t, s, "anna")
		publish(t, s, "anna", 1)
		x := &exchange{owner: "anna", transport: longPolling, limit: -1, wake: func() {}}
		s.handle(x, []message{{Channel: metaConnect, ClientID: p.id}})
		body, err := s.compose(x)
		if err != nil || !strings.Contains(string(body), `"data":1`) {
			t.Fatalf("composed %s, %v", body, err)
		}
		s.settle(x, written)
		if kept := x.out != nil; kept == written {
			t.Errorf("written %v: the answer keeps its buffer: %v", written, kept)
		}
	}
}
