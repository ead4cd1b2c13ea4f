package icws

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAllowed(t *testing.T) {
	direct := []string{"https://ic1.example:8019", "https://ic2.example:8019/"}
	tests := []struct {
		name       string
		bases      []string
		template   string
		alternates []string
		from       string
		list       string
		want       []string
	}{
		{"configured hosts need no pattern", direct, "", nil, direct[0], "ic2.example ic1.example",
			[]string{"https://ic2.example:8019", "https://ic1.example:8019"}},
		{"a pattern allows others at the same scheme, port and path", direct, "", []string{"sm*.example"}, "https://ic1.example:8019/base", "sm4.example",
			[]string{"https://sm4.example:8019/base"}},
		{"a host at the standard port", []string{"https://ic1.example"}, "", []string{"ic*.example"}, "https://ic1.example", "ic9.example",
			[]string{"https://ic9.example"}},
		{"a star may stand for nothing", direct, "", []string{"sm*.example"}, direct[0], "sm.example", []string{"https://sm.example:8019"}},
		{"a star never stands for a dot", direct, "", []string{"*.example", "ic*"}, direct[0], "a.b.example ic.evil", nil},
		{"a dot in a pattern is a dot", direct, "", []string{"ic1.example"}, direct[0], "ic1xexample", nil},
		{"other signs in a pattern stand for themselves", direct, "", []string{"ic[0-9].example", "ic?.example"}, direct[0], "ic3.example", nil},
		{"case does not count", direct, "", []string{"SM*.Example"}, direct[0], "sM4.eXAMPLE", []string{"https://sm4.example:8019"}},
		{"names of Windows hosts may have underscores", direct, "", []string{"*.example"}, direct[0], "ic_main.example", []string{"https://ic_main.example:8019"}},
		{"addresses", []string{"http://127.0.0.1:8018"}, "", nil, "http://127.0.0.1:8018", "127.0.0.1", []string{"http://127.0.0.1:8018"}},
		{"two bases of one host", []string{"http://127.0.0.1:1", "http://127.0.0.1:2"}, "", nil, "http://127.0.0.1:1", "127.0.0.1",
			[]string{"http://127.0.0.1:1", "http://127.0.0.1:2"}},
		{"a pattern for addresses", direct, "", []string{"10.0.0.*"}, direct[0], "10.0.0.9 10.0.1.9", []string{"https://10.0.0.9:8019"}},
		{"any name of a domain", direct, "", []string{"*.dc2.example"}, direct[0], "a.dc2.example a.b.dc2.example dc2.example", []string{"https://a.dc2.example:8019"}},
		{"without patterns none but the configured", direct, "", nil, direct[0], "ic7.example evil.example", nil},
		{"user names, paths and ports of their own", direct, "", []string{"ic*.example", "*.example"}, direct[0], "ic1@evil.example evil/.example ic7.example:1", nil},
		{"what is no host name", direct, "", []string{"*"}, direct[0], "a:1 a/b a@b a?b a#b [::1] %61 -a a- .a", nil},
		{"hosts in the path", []string{"https://p.example/api/ic1.example"}, "https://p.example/api/{host}", []string{"ic*.example"},
			"https://p.example/api/ic1.example", "ic1.example ic4.example p.example",
			[]string{"https://p.example/api/ic1.example", "https://p.example/api/ic4.example"}},
		{"the same host twice", direct, "", nil, direct[0], "ic1.example IC1.example", []string{"https://ic1.example:8019"}},
	}
	for _, test := range tests {
		h, err := newHosts(test.bases, test.template, test.alternates)
		if err != nil {
			t.Fatal(err)
		}
		got := h.allowed(test.from, strings.Fields(test.list))
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: allowed(%q) (-want +got):\n%s", test.name, test.list, diff)
		}
	}
}

func TestNewPanicsOnImpossibleSettings(t *testing.T) {
	tests := []struct {
		name string
		edit func(*Settings)
		want string
	}{
		{"no base", func(s *Settings) { s.Bases = nil }, `icws: site "pc": no base URL`},
		{"a base without a host", func(s *Settings) { s.Bases = []string{"ic1.example:8018"} }, `icws: site "pc": base URL "ic1.example:8018" is not http://host or https://host`},
		{"a template without a host", func(s *Settings) { s.Template = "http://p.example/" }, `icws: site "pc": template "http://p.example/" needs one {host}`},
		{"no metrics", func(s *Settings) { s.Metrics = nil }, `icws: site "pc" has no metrics`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			defer func() {
				if got := recover(); got != test.want {
					t.Errorf("New panicked with %v; want %s", got, test.want)
				}
			}()
			newClient(t, nil, test.edit)
		})
	}
}
