package config

import (
	"slices"
	"testing"
)

func TestBases(t *testing.T) {
	cases := map[string]struct {
		site Site
		want []string
	}{
		"one URL for each host": {
			Site{URLs: []string{"https://ic1.example:8019/", "https://ic2.example:8019"}},
			[]string{"https://ic1.example:8019", "https://ic2.example:8019"},
		},
		"a template": {
			Site{URL: "https://{host}:8019", Hosts: []string{"ic1.example", "ic2.example"}},
			[]string{"https://ic1.example:8019", "https://ic2.example:8019"},
		},
		"a template among urls": {
			Site{URLs: []string{"https://proxy.example/api/{host}/"}, Hosts: []string{"ic1", "ic2"}},
			[]string{"https://proxy.example/api/ic1", "https://proxy.example/api/ic2"},
		},
		"one URL that is no template": {Site{URL: "https://ic1.example"}, []string{"https://ic1.example"}},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if got := test.site.Bases(); !slices.Equal(got, test.want) {
				t.Errorf("Bases() = %q; want %q", got, test.want)
			}
		})
	}
}
