package config

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const canary = "canary-4711"

// TestNothingPrintsASecret prints one in every way that comes to mind, alone and inside of what
// fmt may and may not call methods on.
func TestNothingPrintsASecret(t *testing.T) {
	secret := NewSecret(canary)
	held := struct {
		Open   Secret
		closed Secret
		Far    *Secret
		Many   []Secret
		Any    any
	}{secret, secret, &secret, []Secret{secret}, secret}
	_ = held.closed
	c := Config{Sites: map[string]Site{"ic": {Service: Service{Password: secret}, Marketplace: Marketplace{Code: secret}}}}
	for _, value := range []any{secret, &secret, held, &held, c, &c} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T", "%20.3s", "%w"} {
			refuseCanary(t, verb, fmt.Sprintf(verb, value))
		}
		refuseCanary(t, "Sprint", fmt.Sprint(value))
		asJSON, err := json.Marshal(value)
		refuseCanary(t, "json", fmt.Sprintf("%s %v", asJSON, err))
		asYAML, err := yaml.Marshal(value)
		refuseCanary(t, "yaml", fmt.Sprintf("%s %v", asYAML, err))
		asXML, err := xml.Marshal(value)
		refuseCanary(t, "xml", fmt.Sprintf("%s %v", asXML, err))
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value, slog.Any("any", value))
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value, slog.Any("any", value))
		refuseCanary(t, "slog", log.String())
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, secret); got != "<secret>" {
			t.Errorf("Sprintf(%q) = %s; want <secret>", verb, got)
		}
	}
	if secret.Reveal() != canary || secret.String() != "<secret>" {
		t.Errorf("Reveal() = %q, String() = %q; want %q and <secret>", secret.Reveal(), secret.String(), canary)
	}
}

func TestFaultsHoldNoSecret(t *testing.T) {
	texts := []string{
		"service: {user: portico, password: " + canary + "}",
		"service: " + canary,
		"service: {user: portico, password_file: {is: " + canary + "}}",
		"marketplace: {code: [" + canary + "]}",
		`url: "https://portico:` + canary + `@ic1.example"`,
		`url: "portico:` + canary + `@ic1.example"`,
		`url: "https://ic1.example?token=` + canary + `"`,
	}
	for _, text := range texts {
		_, err := Parse("portico.yaml", []byte("sites:\n  ic:\n    kind: icws\n    "+text+"\n"), []string{"PORTICO_SITES_IC_SERVICE_PASWORD=" + canary})
		if err == nil {
			t.Errorf("%s: accepted", text)
			continue
		}
		refuseCanary(t, text, err.Error())
	}
}

func TestReadSecret(t *testing.T) {
	cases := map[string]struct {
		content, want string
		mode          os.FileMode
		open          bool
	}{
		"a line break at the end is no part of it": {"canary\r\n", "canary", 0o600, false},
		"a byte-order mark is no part of it":       {"\xef\xbb\xbfcanary\r\n", "canary", 0o600, false},
		"blanks are part of it":                    {" can ary \n", " can ary ", 0o600, false},
		"a file that its group may read":           {"canary", "canary", 0o640, false},
		"a file that everybody may read":           {"canary", "canary", 0o644, true},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secret")
			write(t, path, test.content)
			if err := os.Chmod(path, test.mode); err != nil {
				t.Fatal(err)
			}
			secret, open, err := readSecret(path)
			if err != nil || secret.Reveal() != test.want || open != test.open {
				t.Errorf("readSecret() = %q, %v, %v; want %q, %v", secret.Reveal(), open, err, test.want, test.open)
			}
		})
	}
}

func TestASecretFileThatAllMayReadIsWarnedOf(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "code")
	write(t, path, "canary\n")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(small, "kind: icws", "kind: icws, marketplace: {license_name: x, code_file: code}", 1)
	name := filepath.Join(dir, "portico.yaml")
	c, err := Parse(name, []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%s:3: sites.ic.marketplace.code_file: every user of this machine may read %s; chmod o-r it", name, path)
	if len(c.Warnings) != 1 || c.Warnings[0] != want {
		t.Errorf("warnings = %q; want %q", c.Warnings, want)
	}
	if got := c.Sites["ic"].Marketplace.Code.Reveal(); got != "canary" {
		t.Errorf("code = %q; want canary", got)
	}
}

func TestTooLongASecretIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	write(t, path, strings.Repeat("x", maxSecret+1))
	_, _, err := readSecret(path)
	if err == nil || err.Error() != path+" is longer than 64KiB" {
		t.Errorf("readSecret() = %v; want it to be too long", err)
	}
}

func refuseCanary(t *testing.T, how, printed string) {
	t.Helper()
	if strings.Contains(printed, canary) || strings.Contains(printed, fmt.Sprintf("%x", canary)) {
		t.Errorf("%s printed the secret: %s", how, printed)
	}
}
