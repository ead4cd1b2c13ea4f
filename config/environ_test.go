package config

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEnvironmentOverridesTheFile(t *testing.T) {
	file := `
listen: ":8080"
trusted_proxies: [10.0.0.0/8]
sites:
  ic-main: {kind: icws, urls: ["https://ic1.example:8019"], channels: {voice: {workgroups: [Sales]}, chat: }}
routes:
  - {match: "*", sites: [ic-main]}
states:
  OutToLunch: {ic-main: At Lunch}
`
	c, v := parse([]string{
		"HOME=/root",
		"PORTICO_LISTEN=:8081",
		"PORTICO_ADMIN=", // as good as not set
		"PORTICO_TRUSTED_PROXIES=172.16.0.0/12, fd00::/8",
		"PORTICO_CACHE_MAX_BYTES=1MiB",
		"PORTICO_SITES_IC_MAIN_TIMEOUT=3s",
		"PORTICO_SITES_IC_MAIN_NATIVE=true",
		"PORTICO_SITES_IC_MAIN_APPLICATION=123",
		"PORTICO_SITES_IC_MAIN_WATCH=service",
		"PORTICO_SITES_IC_MAIN_SERVICE_USER=portico",
		"PORTICO_SITES_IC_MAIN_SERVICE_PASSWORD=canary=",
		"PORTICO_SITES_IC_MAIN_SERVICE_PASSWORD_FILE=not-read",
		"PORTICO_SITES_IC_MAIN_CHANNELS_CHAT_WORKGROUPS=Chat,Web",
		"PORTICO_STATES_OUTTOLUNCH_IC_MAIN=Gone Home",
		"PORTICO_SERVICE_HOST=10.0.0.1", // from here on: a Kubernetes service called portico
		"PORTICO_SERVICE_PORT=8080",
		"PORTICO_SERVICE_PORT_HTTP=8080",
		"PORTICO_PORT=tcp://10.0.0.1:8080",
		"PORTICO_PORT_8080_TCP=tcp://10.0.0.1:8080",
		"PORTICO_PORT_8080_TCP_ADDR=10.0.0.1",
		"PORTICO_ADMIN_SERVICE_HOST=10.0.0.2",
	}, Document{"portico.yaml", []byte(file)})
	if err := v.err(); err != nil {
		t.Fatal(err)
	}
	site := c.Sites["ic-main"]
	got := []any{c.Listen, c.PublicURL, c.Admin, c.TrustedProxies, c.Cache.MaxBytes, site.Timeout, site.Native, site.Application,
		site.Service.Password.Reveal(), site.Channels, c.States["OutToLunch"]["ic-main"]}
	want := []any{":8081", "http://localhost:8081", "127.0.0.1:9180",
		[]netip.Prefix{netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("fd00::/8")},
		Bytes(1 << 20), 3 * time.Second, true, "123", "canary=",
		map[string]Channel{"voice": {Workgroups: []string{"Sales"}}, "chat": {Workgroups: []string{"Chat", "Web"}}}, "Gone Home"}
	if diff := cmp.Diff(want, got, compareNetworks); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}
