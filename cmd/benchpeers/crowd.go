package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	crowd      = 1000                   // readers of one session
	siteTakes  = 300 * time.Millisecond // for the catalogue: enough for all of them to have asked meanwhile
	theReader  = 9998                   // the number of the agent, from 0
	routeCatal = "GET /icws/{sessionId}/status/status-messages"
)

// A rush is what came of the first readers of one session, all at once.
type rush struct {
	fetches int           // of the catalogue at the contact centre
	slowest time.Duration // of the readers, from when all were told to ask
	own     time.Duration // that the contact centre takes for the catalogue, asked directly
	least   time.Duration // by which the slowest is late where a loop writes finished answers: the machine's share
}

// late is how much longer the slowest waited than the contact centre took.
func (r rush) late() time.Duration { return r.slowest - r.own }

// rush has the agent's catalogue forgotten, and read by a crowd over connections that stand already.
func (w *world) rush(ctx context.Context, cookie string, direct siteSession) (rush, error) {
	_, err := request{method: "POST", path: "/cache/purge?site=pureconnect"}.must(ctx, caller, w.admin, http.StatusOK)
	if err != nil {
		return rush{}, err
	}
	conns, err := dialAll(ctx, w.door, crowd)
	if err != nil {
		return rush{}, err
	}
	defer closeAll(conns)
	own, err := w.ownTime(ctx, direct)
	if err != nil {
		return rush{}, err
	}
	before, err := w.calls(ctx)
	if err != nil {
		return rush{}, err
	}
	err = w.delay(ctx)
	if err != nil {
		return rush{}, err
	}
	slowest, err := readAll(conns, fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n\r\n", pathCatalogue, w.door, cookie))
	if err != nil {
		return rush{}, err
	}
	after, err := w.calls(ctx)
	if err != nil {
		return rush{}, err
	}
	least, err := w.least(ctx)
	return rush{fetches: after[routeCatal] - before[routeCatal], slowest: slowest, own: own, least: least}, err
}

// least has the crowd read from the loop.
func (w *world) least(ctx context.Context) (time.Duration, error) {
	conns, err := dialAll(ctx, w.loop, crowd)
	if err != nil {
		return 0, err
	}
	defer closeAll(conns)
	slowest, err := readAll(conns, "GET / HTTP/1.1\r\n\r\n")
	return slowest - siteTakes, err
}

// openLoop starts the loop.
func (w *world) openLoop(ctx context.Context, stderr io.Writer) error {
	program, err := w.build(ctx, stderr)
	if err != nil {
		return err
	}
	w.loop, err = freePort()
	if err != nil {
		return err
	}
	_, err = w.start(ctx, "loop", "", w.loop, program, "-kind", "loop", "-listen", w.loop, "-takes", siteTakes.String())
	return err
}

// delay has the contact centre take its time for the next catalogue.
func (w *world) delay(ctx context.Context) error {
	fault := fmt.Sprintf(`{"route":%q,"delay":%q,"times":1}`, routeCatal, siteTakes)
	_, err := request{method: "POST", path: "/_sim/fault", body: fault}.must(ctx, caller, w.site, http.StatusOK)
	return err
}

// ownTime returns how long the contact centre takes then.
func (w *world) ownTime(ctx context.Context, direct siteSession) (time.Duration, error) {
	err := w.delay(ctx)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	_, err = direct.request("GET", "/status/status-messages", "").must(ctx, caller, w.site, http.StatusOK)
	return time.Since(began), err
}

// dialAll opens connections that are closed when ctx ends.
func dialAll(ctx context.Context, address string, n int) ([]net.Conn, error) {
	var dialer net.Dialer
	var conns []net.Conn
	for range n {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			closeAll(conns)
			return nil, err
		}
		_ = conn.SetDeadline(time.Now().Add(startWithin))
		conns = append(conns, conn)
	}
	return conns, nil
}

func closeAll(conns []net.Conn) {
	for _, conn := range conns {
		_ = conn.Close()
	}
}

// readAll sends a request on every connection at once, and returns when the last one's answer began to
// come. The answers are looked at afterwards: that takes a processor longer than to wait for them.
func readAll(conns []net.Conn, request string) (time.Duration, error) {
	var waiting errgroup.Group
	answers := make([]*bufio.Reader, len(conns))
	took := make([]time.Duration, len(conns))
	began := time.Now()
	for i, conn := range conns {
		answers[i] = bufio.NewReader(conn)
		waiting.Go(func() error {
			_, err := conn.Write([]byte(request))
			if err == nil {
				_, err = answers[i].Peek(1)
			}
			took[i] = time.Since(began)
			return err
		})
	}
	err := waiting.Wait()
	for _, one := range answers {
		err = errors.Join(err, isOK(one, err))
	}
	return slices.Max(took), err
}

// isOK reads the head of an answer, unless something failed before.
func isOK(in *bufio.Reader, failed error) error {
	if failed != nil {
		return nil
	}
	got, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	_ = got.Body.Close()
	if got.StatusCode != http.StatusOK {
		return fmt.Errorf("a reader is answered %s", got.Status)
	}
	return nil
}
