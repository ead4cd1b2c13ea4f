package dashboards

import (
	"fmt"
	"net"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// A composition is what these tests read of a compose file. Keys that it has not are an error, so that a
// misspelt one is seen.
type composition struct {
	Name     string             `yaml:"name"`
	Services map[string]service `yaml:"services"`
	Volumes  map[string]any     `yaml:"volumes"`
}

type service struct {
	Build struct {
		Context string `yaml:"context"`
	} `yaml:"build"`
	Image       string            `yaml:"image"`
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	DependsOn   []string          `yaml:"depends_on"`
	Ports       []string          `yaml:"ports"`
	Volumes     []string          `yaml:"volumes"`
	StopWithin  string            `yaml:"stop_grace_period"`
	HealthCheck struct {
		Disable bool `yaml:"disable"`
	} `yaml:"healthcheck"`
}

// A mount is a file or folder of ours, or a volume, as a container sees it.
type mount struct{ source, target string }

func compose(t *testing.T) composition {
	t.Helper()
	return composed(t, "compose.yaml")
}

func composed(t *testing.T, file string) composition {
	t.Helper()
	var c composition
	decodeYAML(t, file, &c)
	return c
}

func (s service) mounts() []mount {
	var all []mount
	for _, volume := range s.Volumes {
		parts := strings.Split(volume, ":")
		all = append(all, mount{parts[0], parts[1]})
	}
	return all
}

// sees returns the file of ours that the service finds at a path, "" for none.
func (s service) sees(file string) string {
	for _, m := range s.mounts() {
		if rest, within := strings.CutPrefix(file, m.target); within && (rest == "" || rest[0] == '/') {
			return path.Join(m.source, rest)
		}
	}
	return ""
}

func exists(t *testing.T, file string) {
	t.Helper()
	if _, err := os.Stat(file); file == "" || err != nil {
		t.Errorf("%q is no file: %v", file, err)
	}
}

func TestComposeMountsWhatIsThere(t *testing.T) {
	for _, file := range []string{"compose.yaml", "replicas/compose.yaml"} {
		c, folder := composed(t, file), path.Dir(file)
		for name, s := range c.Services {
			s.check(t, name, c, folder)
		}
	}
}

// check holds that a service is there to be run, with what it uses.
func (s service) check(t *testing.T, name string, c composition, folder string) {
	t.Helper()
	if (s.Image == "") == (s.Build.Context == "") {
		t.Errorf("%s needs either an image or a folder to build", name)
	}
	if s.Image != "" && (!strings.Contains(s.Image, ":") || strings.HasSuffix(s.Image, ":latest")) {
		t.Errorf("%s is of no fixed version: %s", name, s.Image)
	}
	if s.Image == "" {
		exists(t, path.Join(folder, s.Build.Context, "Dockerfile"))
	}
	for _, other := range s.DependsOn {
		if _, known := c.Services[other]; !known {
			t.Errorf("%s depends on %s, which there is not", name, other)
		}
	}
	for _, m := range s.mounts() {
		if _, named := c.Volumes[m.source]; !named {
			exists(t, path.Join(folder, m.source))
		}
	}
	for _, port := range s.Ports {
		if !strings.HasPrefix(port, "127.0.0.1:") {
			t.Errorf("%s publishes %s to more than this machine", name, port)
		}
	}
}

// TestComposedBalancerReachesTheReplicas holds what the load balancer is told of them to their settings.
func TestComposedBalancerReachesTheReplicas(t *testing.T) {
	c := composed(t, "replicas/compose.yaml")
	var settings map[string]any
	decodeYAML(t, "replicas/portico.yaml", &settings)
	told := c.Services["balancer"].Environment
	for _, letter := range []string{"A", "B"} {
		host, port, err := net.SplitHostPort(told["PORTICO_"+letter])
		if err != nil || ":"+port != settings["listen"] || ":"+told["ADMIN_"+letter] != settings["admin"].(string) {
			t.Errorf("replica %s is at %q, admin %q (%v); want what portico.yaml says", letter, told["PORTICO_"+letter], told["ADMIN_"+letter], err)
		}
		if got := c.Services[host].sees("/etc/portico/portico.yaml"); path.Clean(got) != "portico.yaml" {
			t.Errorf("the settings of %s are %q", host, got)
		}
	}
}

// TestComposedSimulatorsAreNotAskedForTheirHealth: that of our image asks an admin listener, which they have not.
func TestComposedSimulatorsAreNotAskedForTheirHealth(t *testing.T) {
	for name, s := range composed(t, "replicas/compose.yaml").Services {
		if simulator := len(s.Command) > 0 && s.Command[0] == "simulate"; s.HealthCheck.Disable != simulator {
			t.Errorf("that the health check of %s is disabled is %v; want %v", name, s.HealthCheck.Disable, simulator)
		}
	}
}

func TestComposedPrometheusReachesPortico(t *testing.T) {
	c := compose(t)
	prometheus := c.Services["prometheus"]
	config := strings.TrimPrefix(prometheus.Command[0], "--config.file=")
	if got := prometheus.sees(config); got != "prometheus.yml" {
		t.Fatalf("%s in Prometheus' container is %q", config, got)
	}
	settings := prometheusConfig(t)
	for _, rules := range settings.RuleFiles {
		exists(t, rules)
		if got := prometheus.sees(path.Join(path.Dir(config), rules)); got != rules {
			t.Errorf("rule file %s in Prometheus' container is %q", rules, got)
		}
	}
	_, port, err := net.SplitHostPort(flagOf(t, c.Services["portico"].Command, "--admin"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{net.JoinHostPort("portico", port)}
	if job := settings.ScrapeConfigs[0]; job.JobName != "portico" || !slices.Equal(job.StaticConfigs[0].Targets, want) {
		t.Errorf("Prometheus scrapes %+v; want job portico of %q", job, want)
	}
}

// flagOf returns the value behind a flag.
func flagOf(t *testing.T, command []string, flag string) string {
	t.Helper()
	i := slices.Index(command, flag)
	if i < 0 || i+1 == len(command) {
		t.Fatalf("%q has no %s", command, flag)
	}
	return command[i+1]
}

// What is published must be listened for, on every address of the container.
func TestComposedPorticoListensWhereItIsPublished(t *testing.T) {
	portico := compose(t).Services["portico"]
	var listens []string
	for _, flag := range []string{"--listen", "--admin", "--icws", "--htcc"} {
		host, port, err := net.SplitHostPort(flagOf(t, portico.Command, flag))
		if err != nil || host != "0.0.0.0" {
			t.Errorf("%s is %q (%v); want 0.0.0.0, else no other container reaches it", flag, host, err)
		}
		listens = append(listens, fmt.Sprintf("127.0.0.1:%s:%s", port, port))
	}
	if !slices.Equal(portico.Ports, listens) {
		t.Errorf("published are %q; want %q", portico.Ports, listens)
	}
}

func TestComposedGrafanaHasEveryDashboard(t *testing.T) {
	grafana := compose(t).Services["grafana"]
	folder := provider(t).Options["path"]
	for _, d := range dashboards(t) {
		if got := grafana.sees(path.Join(folder, d.file)); path.Clean(got) != d.file {
			t.Errorf("%s in Grafana's container is %q", d.file, got)
		}
	}
	home := grafana.Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
	exists(t, grafana.sees(home))
	for _, file := range []string{"datasources/portico.yaml", "dashboards/portico.yaml"} {
		exists(t, grafana.sees(path.Join("/etc/grafana/provisioning", file)))
	}
	if got, want := source(t).URL, "http://prometheus:9090"; got != want {
		t.Errorf("Grafana asks Prometheus at %s; want %s", got, want)
	}
}
