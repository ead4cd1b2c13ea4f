package dashboards

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLivePromtool has Prometheus' and Alertmanager's own tools read what is loaded into them.
func TestLivePromtool(t *testing.T) {
	t.Parallel()
	programs(t)
	for _, line := range []string{
		"promtool check config --lint=all --lint-fatal prometheus.yml",
		"promtool check rules --lint=all --lint-fatal alerts/portico.rules.yml",
		"promtool test rules alerts/portico.test.yml",
		"amtool check-config alerts/alertmanager.yml",
	} {
		run(t, line)
	}
	scaledRules := filepath.Join(t.TempDir(), "rules.yml")
	write(t, scaledRules, scaled(t))
	run(t, "promtool check rules --lint=all --lint-fatal "+scaledRules)
	for severity, receiver := range map[string]string{"page": "pages", "ticket": "tickets", "none": "nobody"} {
		got := run(t, "amtool config routes test --config.file=alerts/alertmanager.yml severity="+severity)
		if strings.TrimSpace(got) != receiver {
			t.Errorf("alerts of severity %s go to %s; want %s", severity, got, receiver)
		}
	}
}

// run runs a command line without quotes and returns what it prints to standard output.
func run(t *testing.T, line string) string {
	t.Helper()
	words := strings.Fields(line)
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		t.Errorf("%s: %v\n%s%s", line, err, &stdout, &stderr)
	}
	return stdout.String()
}
