package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestLiveInhibition tells Alertmanager of alerts, as its settings here have it, and asks which of them it
// holds back. Each job is a case of its own.
func TestLiveInhibition(t *testing.T) {
	t.Parallel()
	programs(t)
	address := "127.0.0.1:" + freePort(t)
	process := start(t, "prometheus-alertmanager", "--config.file=alerts/alertmanager.yml", "--cluster.listen-address=",
		"--storage.path="+filepath.Join(t.TempDir(), "data"), "--web.listen-address="+address, "--log.level=warn")
	until(t, "Alertmanager is ready", time.Minute, func() bool {
		if process.hasEnded() {
			t.Fatalf("Alertmanager ended: %v", process.result)
		}
		res, err := http.Get("http://" + address + "/-/ready")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	var fire []map[string]map[string]string
	want := map[string]bool{} // whether it is held back, by job and alert
	say := func(job, name, window, site string, held bool) {
		labels := map[string]string{"job": job, "alertname": name, "window": window, "site": site}
		maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
		fire = append(fire, map[string]map[string]string{"labels": labels})
		want[job+" "+alertName(labels)] = held
	}
	for _, burn := range []string{"PorticoErrorBudgetBurn", "PorticoLatencyBudgetBurn"} {
		for _, window := range []string{"1h", "6h", "3d"} {
			say("down", burn, window, "", true)
			say("lately", burn, window, "", window == "1h")
			say("before", burn, window, "", window == "6h")
			say("elsewhere", burn, window, "", false)
		}
	}
	for _, job := range []string{"down", "lately", "before", "elsewhere"} {
		say(job, "PorticoLoginsFailing", "", "pc", job == "down" || job == "lately")
		say(job, "PorticoLoginsFailing", "", "other", false)
		say(job, "PorticoPushDropping", "", "", false)
	}
	say("down", "PorticoSiteDown", "", "pc", false)
	say("lately", "PorticoSiteLatelyDown", "1h", "pc", false)
	say("before", "PorticoSiteLatelyDown", "6h", "pc", false)
	body, err := json.Marshal(fire)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post("http://"+address+"/api/v2/alerts", "application/json", bytes.NewReader(body))
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("told of alerts it answered %v, %v", res, err)
	}
	_ = res.Body.Close()
	got := map[string]bool{}
	until(t, fmt.Sprintf("Alertmanager holds back %d alerts", len(held(want))), time.Minute, func() bool {
		got = heldBack(t, address)
		return len(got) == len(want) && len(held(got)) >= len(held(want))
	})
	if !maps.Equal(got, want) {
		t.Errorf("held back are %q; want %q", held(got), held(want))
	}
}

// held returns the names of those that are held back.
func held(all map[string]bool) []string {
	names := slices.Sorted(maps.Keys(all))
	return slices.DeleteFunc(names, func(name string) bool { return !all[name] })
}

// heldBack asks Alertmanager which of the alerts it knows are held back.
func heldBack(t *testing.T, address string) map[string]bool {
	t.Helper()
	res, err := http.Get("http://" + address + "/api/v2/alerts")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var alerts []struct {
		Labels map[string]string `json:"labels"`
		Status struct {
			InhibitedBy []string `json:"inhibitedBy"`
		} `json:"status"`
	}
	err = json.NewDecoder(res.Body).Decode(&alerts)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, one := range alerts {
		all[one.Labels["job"]+" "+alertName(one.Labels)] = len(one.Status.InhibitedBy) > 0
	}
	return all
}
