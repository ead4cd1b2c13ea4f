package fleet

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// composed is what two replicas are set up with by dashboards/replicas/compose.yaml.
const composed = "../../../dashboards/replicas/portico.yaml"

// TestLiveSettingsOfTheExample has HAProxy and Portico read the settings of the compose file's.
func TestLiveSettingsOfTheExample(t *testing.T) {
	folder := programs(t)
	balanced := []string{"DOOR=127.0.0.1:80", "PORTICO_A=127.0.0.1:81", "ADMIN_A=82", "PORTICO_B=127.0.0.1:83", "ADMIN_B=84"}
	takes(t, balanced, "haproxy", "-c", "-f", balancer)
	takes(t, append(balanced, "STICKY=yes"), "haproxy", "-c", "-f", balancer)
	secrets := []string{"PORTICO_STORE_KEY=" + storeKey, "PORTICO_ADMIN_TOKEN=of-an-operator"}
	takes(t, secrets, filepath.Join(folder, "portico"), "check", composed)
}

// takes runs a program that is to find no fault.
func takes(t *testing.T, variables []string, program string, args ...string) {
	t.Helper()
	check := exec.Command(program, args...)
	check.Env = append(os.Environ(), variables...)
	said, err := check.CombinedOutput()
	if err != nil {
		t.Errorf("%s with %q: %v\n%s", program, variables, err, said)
	}
}
