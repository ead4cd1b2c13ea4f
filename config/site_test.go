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

func TestAlternate(t *testing.T) {
	plain := Site{URLs: []string{"https://ic1.example:8019", "https://spare.example:8020"}, Alternates: []string{"ic*.example", "*.dc2.example", "10.0.0.*"}}
	proxied := Site{URL: "https://proxy.example/api/{host}", Hosts: []string{"ic1"}, Alternates: []string{"ic*"}}
	cases := map[string]struct {
		site       Site
		host, want string // empty: must not be called
	}{
		"a host of its own":                     {plain, "spare.example", "https://spare.example:8020"},
		"a host of its own in capitals":         {plain, "IC1.example", "https://ic1.example:8019"},
		"an allowed host":                       {plain, "ic7.example", "https://ic7.example:8019"},
		"an allowed host in capitals":           {plain, "IC7.EXAMPLE", "https://IC7.EXAMPLE:8019"},
		"an allowed address":                    {plain, "10.0.0.9", "https://10.0.0.9:8019"},
		"any name of a domain":                  {plain, "a.dc2.example", "https://a.dc2.example:8019"},
		"a star matches no dot":                 {plain, "a.b.dc2.example", ""},
		"a star matches no dot inside a label":  {plain, "ic.evil.example", ""},
		"another host":                          {plain, "evil.example", ""},
		"no name at all":                        {plain, "", ""},
		"a user name at another host":           {plain, "ic1@evil.example", ""},
		"a path at another host":                {Site{URLs: plain.URLs, Alternates: []string{"*.example"}}, "evil/.example", ""},
		"a port of its own":                     {plain, "ic7.example:1", ""},
		"a host behind a proxy":                 {proxied, "ic2", "https://proxy.example/api/ic2"},
		"a host of its own behind a proxy":      {proxied, "ic1", "https://proxy.example/api/ic1"},
		"the proxy itself":                      {proxied, "proxy.example", ""},
		"nothing is allowed without alternates": {Site{URLs: plain.URLs}, "ic7.example", ""},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := test.site.Alternate(test.host)
			if got != test.want || ok != (test.want != "") {
				t.Errorf("Alternate(%q) = %q, %v; want %q", test.host, got, ok, test.want)
			}
		})
	}
}
