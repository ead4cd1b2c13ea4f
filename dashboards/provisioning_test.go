package dashboards

import (
	"testing"
)

func TestProvisioningIsReadable(t *testing.T) {
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name     string         `yaml:"name"`
			UID      string         `yaml:"uid"`
			Type     string         `yaml:"type"`
			Access   string         `yaml:"access"`
			URL      string         `yaml:"url"`
			JSONData map[string]any `yaml:"jsonData"`
		} `yaml:"datasources"`
	}
	decodeYAML(t, "provisioning/datasources/portico.yaml", &sources)
	if sources.APIVersion != 1 || len(sources.Datasources) != 1 {
		t.Fatalf("data sources = %+v; want one, apiVersion 1", sources)
	}
	if one := sources.Datasources[0]; one.UID == "" || one.Type != "prometheus" || one.JSONData["timeInterval"] == nil {
		t.Errorf("data source = %+v; want a prometheus with a uid and the scrape interval", one)
	}

	var boards struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name     string            `yaml:"name"`
			Folder   string            `yaml:"folder"`
			Type     string            `yaml:"type"`
			Updates  bool              `yaml:"allowUiUpdates"`
			Kept     bool              `yaml:"disableDeletion"`
			Interval int               `yaml:"updateIntervalSeconds"`
			Options  map[string]string `yaml:"options"`
		} `yaml:"providers"`
	}
	decodeYAML(t, "provisioning/dashboards/portico.yaml", &boards)
	if boards.APIVersion != 1 || len(boards.Providers) != 1 {
		t.Fatalf("dashboards = %+v; want one provider, apiVersion 1", boards)
	}
	if one := boards.Providers[0]; one.Type != "file" || one.Updates || !one.Kept || one.Options["path"] == "" {
		t.Errorf("provider = %+v; want files that nobody changes or deletes in Grafana", one)
	}
}
