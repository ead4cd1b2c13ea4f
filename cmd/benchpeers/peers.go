package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Names of those that are measured.
const (
	porticoName = "Portico"
	nginx       = "nginx"
	varnish     = "Varnish"
	haproxy     = "HAProxy"
	caddy       = "Caddy"
	ginAlone    = "gin alone"
	ginProxy    = "gin + ReverseProxy"
	luraName    = "Lura"
)

// An installedPeer is one that Debian has. The first server that open returns is the one to call.
type installedPeer struct {
	name     string
	packages []string
	commands []string
	open     func(context.Context, *world) ([]*server, error)
}

var installed = []installedPeer{
	{nginx, []string{"nginx"}, []string{"nginx"}, openNginx},
	{varnish, []string{"varnish"}, []string{"varnishd", "varnishncsa"}, openVarnish},
	{haproxy, []string{"haproxy"}, []string{"haproxy"}, openHAProxy},
	{caddy, []string{"caddy"}, []string{"caddy"}, openCaddy},
}

// A builtPeer is one of the module in peers.
type builtPeer struct {
	name     string
	kind     string
	upstream func(*world) string // host:port
}

var built = []builtPeer{
	{ginAlone, "gin", func(w *world) string { return w.door }},
	{ginProxy, "reverseproxy", func(w *world) string { return w.site }},
	{luraName, "lura", func(w *world) string { return w.site }},
}

func (w *world) openBuilt(ctx context.Context, program string, p builtPeer) ([]*server, error) {
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	one, err := w.start(ctx, p.kind, w.mode.peer, address, program,
		"-kind", p.kind, "-listen", address, "-upstream", "http://"+p.upstream(w), "-cookie", w.agents[0])
	return []*server{one}, err
}

func isMissing(command string) bool {
	_, err := exec.LookPath(command)
	return err != nil
}

// install installs what is missing, where it may, and returns what is missing still.
func install(ctx context.Context, stderr io.Writer) []string {
	tools := append([]installedPeer{{packages: []string{"wrk"}, commands: []string{"wrk"}}, {packages: []string{"util-linux"}, commands: []string{"taskset"}}}, installed...)
	missing := missingOf(tools)
	_, err := exec.LookPath("apt-get")
	if len(missing) == 0 || err != nil || os.Getuid() != 0 {
		return missing
	}
	for _, args := range [][]string{{"update", "-qq"}, append([]string{"install", "-y", "-qq", "--no-install-recommends"}, missing...)} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		// Without systemd, the packages start no service of theirs at ports of the machine's.
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "SYSTEMD_OFFLINE=1")
		cmd.Stderr = stderr
		err = cmd.Run()
		if err != nil {
			fmt.Fprintf(stderr, "benchpeers: apt-get %s: %v\n", strings.Join(args, " "), err)
		}
	}
	return missingOf(tools)
}

func missingOf(tools []installedPeer) []string {
	var packages []string
	for _, tool := range tools {
		if slices.ContainsFunc(tool.commands, isMissing) {
			packages = append(packages, tool.packages...)
		}
	}
	return packages
}
