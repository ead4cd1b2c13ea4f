package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPausesOfTheLastCollections(t *testing.T) {
	ring := make([]string, 256)
	for i := range ring {
		ring[i] = "0"
	}
	ring[255], ring[0], ring[1] = "30", "10", "20" // of collections 256 to 258
	profile := "# NumGC = 258\n# PauseNs = [" + strings.Join(ring, " ") + "]\n"
	got, err := pausesIn(strings.NewReader(profile), 3)
	want := []time.Duration{10, 20, 30}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("pausesIn = %v, %v; want %v", got, err, want)
	}
	_, err = pausesIn(strings.NewReader("# NumGC = 2\n"), 3)
	if err == nil {
		t.Error("pausesIn of two collections found three")
	}
}

// grown is a run with two steps.
func grown() *growth {
	at := func(agents int, memory float64, busy float64) step {
		return step{agents: agents, memory: memory, busy: busy, pauses: []time.Duration{time.Millisecond}}
	}
	return &growth{empty: at(0, 30e6, 0), steps: []step{at(100, 34e6, 0.01), at(1000, 70e6, 0.1)}}
}

func TestGrowth(t *testing.T) {
	g := grown()
	var out bytes.Buffer
	g.print(&out)
	said := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{"agents 100 1000", "memory, MB 34.0 70.0", "each, KB 40.0 40.0", "at work 0.010 0.100", "pause longest, ms 1.0 1.0"} {
		if !strings.Contains(said, want) {
			t.Errorf("the report lacks %q:\n%s", want, &out)
		}
	}
	g.settings.csv = filepath.Join(t.TempDir(), "figures.csv")
	g.settings.svg = filepath.Join(t.TempDir(), "chart.svg")
	err := g.save()
	text, reading := os.ReadFile(g.settings.csv)
	if err != nil || reading != nil || !strings.Contains(string(text), "\n1000,0.0000,70.0000,") {
		t.Errorf("save = %v, %v and wrote\n%s", err, reading, text)
	}
}

func TestTheChartShowsEveryFigureItIsToShow(t *testing.T) {
	chart := grown().chart()
	panels := bytes.Count(chart, []byte("<polyline"))
	if panels != len(charted) {
		t.Errorf("%d panels; want %d: a column has another name than the chart gives it", panels, len(charted))
	}
	words := xml.NewDecoder(bytes.NewReader(chart))
	for {
		_, err := words.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("the chart is no XML: %v\n%s", err, chart)
		}
	}
}
