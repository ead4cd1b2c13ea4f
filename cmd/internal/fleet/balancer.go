package fleet

import (
	"fmt"
	"net"
	"time"

	"portico/cmd/internal/bench"
)

// openBalancer starts Debian's HAProxy in front of the replicas, and returns once it takes connections.
func (f *Fleet) openBalancer() error {
	var err error
	f.Door, err = freeAddress(f.network + "9")
	if err != nil {
		return err
	}
	variables := []string{"DOOR=" + f.Door}
	if f.settings.Sticky {
		variables = append(variables, "STICKY=yes")
	}
	for i, r := range f.Replicas {
		_, admin, _ := net.SplitHostPort(r.Admin)
		letter := 'A' + rune(i)
		variables = append(variables, fmt.Sprintf("PORTICO_%c=%s", letter, r.Door), fmt.Sprintf("ADMIN_%c=%s", letter, admin))
	}
	f.balancer, err = bench.Start(f.ctx, f.settings.Stderr, variables, "haproxy", "-db", "-q", "-f", f.settings.Balancer)
	if err != nil {
		return err
	}
	f.balancer.Hush()
	return listens(f.Door)
}

// listens waits until somebody takes connections at an address.
func listens(address string) error {
	var conn net.Conn
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		conn, err = net.Dial("tcp", address)
		if err == nil {
			return conn.Close()
		}
	}
	return err
}
