// Peers serves one of the gateways in Go that Portico is measured beside: gin by itself, gin before
// net/http's ReverseProxy, and Lura with its gin router. Each writes an access log to standard output. Loop is no
// gateway: it shows what the machine can do.
// It is a module of its own, so that what it needs is not among what Portico needs. benchpeers builds
// and starts it.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

// settings are what the flags say.
type settings struct {
	listen   string // host:port
	upstream string // URL
	cookie   string // of who fetches what gin alone answers
	takes    time.Duration
}

// kinds are the gateways by name.
var kinds = map[string]func(settings) error{"gin": bare, "reverseproxy": reverseProxy, "lura": lura, "loop": loop}

func main() {
	var s settings
	kind := flag.String("kind", "", "gin, reverseproxy, lura or loop")
	flag.StringVar(&s.listen, "listen", "", "`address` to listen at")
	flag.StringVar(&s.upstream, "upstream", "", "`URL` of the upstream")
	flag.StringVar(&s.cookie, "cookie", "", "`cookies` for the one request of gin alone")
	flag.DurationVar(&s.takes, "takes", 0, "how long after the first request loop answers")
	flag.Parse()
	serve, known := kinds[*kind]
	if !known {
		fmt.Fprintf(os.Stderr, "peers: there is no kind %q\n", *kind)
		os.Exit(2)
	}
	err := serve(s)
	if err != nil {
		fmt.Fprintf(os.Stderr, "peers: %s: %v\n", *kind, err)
		os.Exit(1)
	}
}
