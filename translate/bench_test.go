package translate

import (
	"testing"

	"portico/translate/icwsapi"
)

// BenchmarkChange measures what a status that the site tells of costs, from the message to what is pushed.
func BenchmarkChange(b *testing.B) {
	k := sit(b, mapped(), mapped().directory(b), "Available", "Sales Mail")
	for _, bench := range []struct{ name, one, other string }{
		{"not ready", "At Lunch", "At Play"},
		{"ready", "Available", "At Lunch"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			view := k.View(k.s, k.d)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				message := statusOf("anna", []string{bench.one, bench.other}[i%2])
				s, heard := k.Heard(k.s, message, k.d)
				now := k.View(s, k.d)
				if len(Notifications(view, now, heard)) == 0 {
					b.Fatalf("%+v is not notified", message)
				}
				k.s, view = s, now
			}
		})
	}
}

// TestAChangeAllocatesOnlyWhatItTells: ids, features and what else stays the same is not made anew.
func TestAChangeAllocatesOnlyWhatItTells(t *testing.T) {
	const most = 20 // the lists that are pushed, and folded ids
	k := sit(t, mapped(), mapped().directory(t), "Available", "Sales Mail")
	message := [2]icwsapi.Message{statusOf("anna", "At Lunch"), statusOf("anna", "At Play")}
	view, i := k.View(k.s, k.d), 0
	got := testing.AllocsPerRun(100, func() {
		s, heard := k.Heard(k.s, message[i%2], k.d)
		now := k.View(s, k.d)
		_ = Notifications(view, now, heard)
		k.s, view, i = s, now, i+1
	})
	if got > most {
		t.Errorf("%v allocations; want at most %v", got, most)
	}
}

// statusOf returns a message that an agent is given a status.
func statusOf(userID, statusID string) icwsapi.Message {
	return icwsapi.UserStatusMessage{Head: icwsapi.Head{Type: icwsapi.TypeUserStatus, IsDelta: true},
		UserStatusList: []icwsapi.UserStatus{{UserID: userID, StatusID: statusID}}}
}
