package proxy

import (
	"net/url"
	"testing"

	"portico/proxy/gateway"
)

// TestListsAreFilteredByTheirFields filters two devices.
func TestListsAreFilteredByTheirFields(t *testing.T) {
	devices := []gateway.Resource{
		{ID: "1", Body: map[string]any{"id": "1", "deviceState": "Active", "channels": []string{"voice", "video"}, "doNotDisturb": false}},
		{ID: "2", Body: map[string]any{"id": "2", "deviceState": "Inactive", "channels": []string{"voice"}}},
	}
	for query, want := range map[string]string{
		"":                                    "12",
		"fields=*":                            "12",
		"deviceState=Active":                  "1",
		"deviceState=Active&deviceState=Gone": "1",
		"deviceState=active":                  "",
		"doNotDisturb=false":                  "1",
		"channels=voice":                      "12",
		"channels=video&fields=id":            "1",
		"channels=fax":                        "",
		"somethingOfTheApplication=7":         "12",
	} {
		asked, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := filter(devices, asked)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, one := range kept {
			got += one.ID
		}
		if got != want {
			t.Errorf("?%s keeps %q; want %q", query, got, want)
		}
	}
}
