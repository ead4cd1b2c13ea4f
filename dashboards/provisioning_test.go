package dashboards

import "testing"

// A grafanaSource is a data source as provisioning has it.
type grafanaSource struct {
	Name     string         `yaml:"name"`
	UID      string         `yaml:"uid"`
	Type     string         `yaml:"type"`
	Access   string         `yaml:"access"`
	URL      string         `yaml:"url"`
	JSONData map[string]any `yaml:"jsonData"`
}

// A grafanaProvider is where Grafana finds dashboards.
type grafanaProvider struct {
	Name     string            `yaml:"name"`
	Folder   string            `yaml:"folder"`
	Type     string            `yaml:"type"`
	Updates  bool              `yaml:"allowUiUpdates"`
	Kept     bool              `yaml:"disableDeletion"`
	Interval int               `yaml:"updateIntervalSeconds"`
	Options  map[string]string `yaml:"options"`
}

// source returns the one data source.
func source(t *testing.T) grafanaSource {
	t.Helper()
	var file struct {
		APIVersion  int             `yaml:"apiVersion"`
		Datasources []grafanaSource `yaml:"datasources"`
	}
	decodeYAML(t, "provisioning/datasources/portico.yaml", &file)
	if file.APIVersion != 1 || len(file.Datasources) != 1 {
		t.Fatalf("data sources = %+v; want one, apiVersion 1", file)
	}
	return file.Datasources[0]
}

// provider returns the one provider of dashboards.
func provider(t *testing.T) grafanaProvider {
	t.Helper()
	var file struct {
		APIVersion int               `yaml:"apiVersion"`
		Providers  []grafanaProvider `yaml:"providers"`
	}
	decodeYAML(t, "provisioning/dashboards/portico.yaml", &file)
	if file.APIVersion != 1 || len(file.Providers) != 1 {
		t.Fatalf("dashboards = %+v; want one provider, apiVersion 1", file)
	}
	return file.Providers[0]
}

func TestProvisioningIsReadable(t *testing.T) {
	if one := source(t); one.UID == "" || one.Type != "prometheus" {
		t.Errorf("data source = %+v; want a prometheus with a uid", one)
	}
	if one := provider(t); one.Type != "file" || one.Updates || !one.Kept || one.Options["path"] == "" {
		t.Errorf("provider = %+v; want files that nobody changes or deletes in Grafana", one)
	}
}

// Grafana's $__rate_interval is four of its intervals: less than Prometheus scrapes is too short.
func TestGrafanaKnowsHowOftenPrometheusScrapes(t *testing.T) {
	if got, want := source(t).JSONData["timeInterval"], prometheusConfig(t).Global["scrape_interval"]; got != want {
		t.Errorf("timeInterval = %v; Prometheus' scrape_interval is %v", got, want)
	}
}

// A prometheusSettings is what prometheus.yml has.
type prometheusSettings struct {
	Global        map[string]string `yaml:"global"`
	RuleFiles     []string          `yaml:"rule_files"`
	ScrapeConfigs []scrapeConfig    `yaml:"scrape_configs"`
}

type scrapeConfig struct {
	JobName       string         `yaml:"job_name"`
	StaticConfigs []scrapeTarget `yaml:"static_configs"`
}

type scrapeTarget struct {
	Targets []string `yaml:"targets"`
}

func prometheusConfig(t *testing.T) prometheusSettings {
	t.Helper()
	var settings prometheusSettings
	decodeYAML(t, "prometheus.yml", &settings)
	return settings
}
