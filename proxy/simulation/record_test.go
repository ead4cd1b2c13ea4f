package simulation

import "testing"

func TestTheLogForgetsTheOldest(t *testing.T) {
	var r Record[struct{}]
	for range maxLog + 1 {
		r.Add(Entry[struct{}]{})
	}
	log := r.Log()
	if len(log) != maxLog/2+1 || log[len(log)-1].Number != maxLog+1 {
		t.Errorf("%d entries, the last is %d; want %d, %d", len(log), log[len(log)-1].Number, maxLog/2+1, maxLog+1)
	}
	r.Reset()
	r.Add(Entry[struct{}]{})
	if log := r.Log(); len(log) != 1 || log[0].Number != 1 {
		t.Errorf("after Reset = %v; want one entry, the first", log)
	}
}

func TestCallsAreACopy(t *testing.T) {
	var r Record[struct{}]
	r.Calls()["GET /a"] = 5
	r.Count("GET /a")
	r.Calls()["GET /a"] = 5
	if got := r.Calls(); len(got) != 1 || got["GET /a"] != 1 {
		t.Errorf("calls = %v; want the one", got)
	}
}
