package proxy

import (
	"encoding/json"
	"reflect"
	"testing"

	"portico/translate"
	"portico/translate/htccapi"
)

// A member that is added is read, and what a site can take of it comes to where operations are planned.
func TestEachMemberOfAnOperationIsRead(t *testing.T) {
	want := htccapi.OperationRequest{Until: "2026-01-05T08:15:00Z", Channels: []htccapi.MediaChannel{"voice"}}
	members := reflect.ValueOf(&want).Elem()
	for i := range members.NumField() {
		if members.Field(i).IsZero() {
			members.Field(i).SetString("x")
		}
	}
	body, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeOperation(body)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s is read as %+v, %v", body, got, err)
	}
	ask, err := requestOf(operationRequest{got, body}, "voice")
	if err != nil {
		t.Fatal(err)
	}
	for i, request := 0, reflect.ValueOf(ask.Request); i < request.NumField(); i++ {
		if request.Field(i).IsZero() {
			t.Errorf("requestOf leaves %s of a %T empty", request.Type().Field(i).Name, translate.Request{})
		}
	}
}
