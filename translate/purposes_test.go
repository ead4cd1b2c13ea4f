package translate

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// What is forgotten of an operation when it is added shows as a custom state, or is offered and refused.
func TestPurposesAreWhole(t *testing.T) {
	ids := map[string]htccapi.Operation{}
	for _, p := range purposes {
		if !slices.Contains(htccapi.Reserved, p.op) {
			t.Errorf("%s is not among htccapi.Reserved: a custom state may have its name", p.op)
		}
		if !p.isState() {
			continue
		}
		if p.shown.OperationName != p.op || p.shown.DisplayName == "" || p.shown.State == "" {
			t.Errorf("%s shows as %+v; want a state of its own", p.op, p.shown)
		}
		id := strings.ToUpper(p.shown.ID)
		if other, taken := ids[id]; id == "" || taken {
			t.Errorf("%s has the id %q, which %q has too", p.op, id, other)
		}
		ids[id] = p.op
	}
}

func TestEachSettingOfAStatusHasAPurpose(t *testing.T) {
	for _, field := range statusFields() {
		var served []htccapi.Operation
		for _, p := range purposes {
			if p.configured(naming(field, "At Play")) != "" {
				served = append(served, p.op)
			}
		}
		if len(served) != 1 {
			t.Errorf("Statuses.%s is read for %v; want one purpose", field, served)
		}
	}
}

// TestNoOperationOfAStatusIsRefused has settings name any status for anything. What is told of a status leads to it, for
// an agent who can choose it; what is shown while the agent is in it says so too, and is listed.
func TestNoOperationOfAStatusIsRefused(t *testing.T) {
	catalogue := with()
	for _, field := range statusFields() {
		for _, configured := range catalogue.Messages() {
			for _, denied := range catalogue.Messages() {
				r := mapped()
				r.Statuses = naming(field, configured.StatusID)
				k := sit(t, r, r.NewDirectory(catalogue, all(catalogue, denied.StatusID)), "Unheard of", "Sales Mail") // a status that is for nothing
				for _, message := range catalogue.Messages() {
					k.leadsTo(message)
				}
				if t.Failed() {
					t.Fatalf("%s is %q, %q is not accessible", field, configured.StatusID, denied.StatusID)
				}
			}
		}
	}
}

// leadsTo holds that the operation that the agent is told of for a status leads to it.
func (k *desk) leadsTo(message icwsapi.StatusMessage) {
	k.Helper()
	ask := Request{Operation: k.d.OperationFor(message.StatusID)}
	if message.IsForwardStatus {
		ask.ForwardNumber = "5101"
	}
	plan, err := k.Plan(k.s, k.d, ask)
	if !k.d.Choosable(message) {
		refusal, isRefusal := errors.AsType[*Refusal](err)
		if isRefusal && refusal.Reason == Invalid {
			k.Errorf("%q of %q is unknown: %v", ask.Operation, message.StatusID, err)
		}
		return
	}
	if err != nil || plan.Status() == nil || plan.Status().StatusID != message.StatusID {
		k.Errorf("%q of %q is planned as %+v, %v", ask.Operation, message.StatusID, plan.Status(), err)
	}
	listed := slices.Contains(k.d.AgentStates(), k.d.SettingOf(message.StatusID))
	if listed == (message.IsForwardStatus || k.d.IsDND(message.StatusID)) {
		k.Errorf("%q of %q is listed: %t", ask.Operation, message.StatusID, listed)
	}
}

// naming returns settings that name one status, for one purpose.
func naming(field, statusID string) Statuses {
	var statuses Statuses
	reflect.ValueOf(&statuses).Elem().FieldByName(field).SetString(statusID)
	return statuses
}

// statusFields are those of Statuses that say what a status is for, not when it is set.
func statusFields() []string {
	var names []string
	for field := range reflect.TypeFor[Statuses]().Fields() {
		if field.Name != "AtStart" && field.Name != "AtEnd" {
			names = append(names, field.Name)
		}
	}
	return names
}
