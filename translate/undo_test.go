package translate

import "testing"

func TestUndo(t *testing.T) {
	tests := []struct {
		name   string
		status string
		active string
		before []string
		ask    string
		done   int
		want   Undo
	}{
		{"nothing was done", "At Lunch", "Sales -Mail", nil, "email Ready", 0, Undo{}},
		{"a deactivation waits for a read", "At Lunch", "Sales -Mail", nil, "email Ready", 1, Undo{Reactivate: map[string]bool{"Sales": true}}},
		{"an activation is taken back at once", "At Lunch", "Sales -Mail", nil, "email Ready", 2,
			Undo{Reactivate: map[string]bool{"Sales": true}, Deactivate: map[string]bool{"Mail": false}}},
		{"the status is the site's matter", "At Lunch", "Sales -Mail", nil, "email Ready", 3,
			Undo{Reactivate: map[string]bool{"Sales": true}, Deactivate: map[string]bool{"Mail": false}}},
		{"more than all is all", "Available", "Sales Mail", nil, "email NotReady", 9, Undo{Reactivate: map[string]bool{"Mail": true}}},
		{"a status alone leaves nothing", "Available", "Sales Mail", nil, "NotReady", 1, Undo{}},
		{"what is as wanted is not touched", "Available", "Sales -Mail", nil, "Ready", 1, Undo{Deactivate: map[string]bool{"Mail": false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := sit(t, mapped(), mapped().directory(t), tt.status, tt.active)
			k.do(tt.before...)
			plan, err := k.plan(tt.ask)
			if err != nil {
				t.Fatal(err)
			}
			got := plan.Undo(tt.done)
			differ(t, tt.want, got, equateEmpty)
		})
	}
}

func TestStateAfterUndo(t *testing.T) {
	k := sit(t, mapped(), mapped().directory(t), "At Lunch", "Sales -Mail")
	set := map[string]bool{"MAIL": true, "Sales": false}
	after := k.s.WithActivations(set)
	differ(t, map[string]bool{"Sales": false, "Mail": true}, after.Activations)
	differ(t, map[string]bool{"Sales": true, "Mail": false}, k.s.Activations)
}
