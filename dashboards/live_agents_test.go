package dashboards

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A demo is portico demo, started as compose.yaml starts it but for its addresses.
type demo struct {
	Portico, Admin, ICWS, HTCC string // addresses
}

func startDemo(t *testing.T) demo {
	t.Helper()
	args := []string{"demo", "--json"}
	for _, word := range compose(t).Services["portico"].Command[1:] {
		if !strings.HasPrefix(word, "--") {
			word = "127.0.0.1:0"
		}
		args = append(args, word)
	}
	process := start(t, filepath.Join(programs(t), "portico"), args...)
	var at demo
	until(t, "the demo answers", time.Minute, func() bool {
		if process.hasEnded() {
			t.Fatalf("the demo ended: %v", process.result)
		}
		return json.Unmarshal(process.stdout.bytes(), &at) == nil
	})
	return at
}

// steer has the ICWS simulator do what a path below /_sim/ says.
func (d demo) steer(t *testing.T, path, body string) {
	t.Helper()
	res, err := http.Post("http://"+d.ICWS+"/_sim/"+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(res.Body)
	if res.StatusCode/100 != 2 {
		t.Fatalf("/_sim/%s %s: %s: %s", path, body, res.Status, said)
	}
}

// atWork are the agents of PureConnect who work all the time; one of HTCC works beside them.
const atWork = 8

// work has agents read their state five times a second and change it every two, and a new one log in every
// second, until the test is over.
func (d demo) work(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	t.Cleanup(func() {
		stop()
		busy.Wait()
	})
	names := []string{"bjorn"}
	for i := range atWork {
		names = append(names, fmt.Sprintf("agent%04d", 1+i))
	}
	for _, name := range names {
		busy.Go(func() {
			every(ctx, 200*time.Millisecond, func(turn int) {
				if turn%10 != 0 {
					d.ask(ctx, name, http.MethodGet, "")
					return
				}
				operation := []string{"Ready", "NotReady"}[turn/10%2]
				d.ask(ctx, name, http.MethodPost, `{"operationName":"`+operation+`"}`)
			})
		})
	}
	busy.Go(func() {
		every(ctx, time.Second, func(turn int) { d.ask(ctx, fmt.Sprintf("agent%04d", 1000+turn), http.MethodGet, "") })
	})
}

func every(ctx context.Context, between time.Duration, do func(turn int)) {
	tick := time.NewTicker(between)
	defer tick.Stop()
	for turn := 0; ; turn++ {
		do(turn)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// ask sends one request of an agent. What comes of it Prometheus is to tell.
func (d demo) ask(ctx context.Context, name, method, body string) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+d.Portico+"/me", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.SetBasicAuth(name, name)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
}
