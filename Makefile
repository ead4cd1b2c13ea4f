# make test    everything that must hold: format, vet, staticcheck, tests with the race detector,
#              the suites of live programs, and beside those the fuzz targets for 10 seconds each. As root on
#              Debian it installs what it needs; elsewhere it names what it leaves out.
# make fuzz   the fuzz targets alone; FUZZTIME=10m takes longer
# make test-cometd   the CometD client that agents' applications use, against portico demo
# make test-browser   the same in pages of headless Chromium
# make test-prometheus   the dashboards, rules and alerts: Debian's Prometheus watches a shift of the load
#              model, and an outage
# make test-fleet   500 agents with CometD clients at three replicas behind Debian's HAProxy, which share
#              Debian's redis-server: restarts, kill -9, a store in trouble, clocks that differ
# make pictures   dashboards/img, drawn with Grafana's component libraries from a shift of the load model
# make vuln   known vulnerabilities of what is used, where the database can be reached
# make bench   the benchmarks
# make bench-telemetry   what metrics, log and traces cost a catalogue hit, in processor time; fails where metrics
#              cost more than they may
# make bench-push   what notifications cost, with 5,000 agents: memory for each, and time from event to
#              client. AGENTS=500 takes fewer; BENCHPUSH="--csv FILE --profiles FOLDER" passes flags on. Linux.
# make bench-scale   how memory, processor time and pauses grow from 100 to 9,000 agents, in under 6 minutes; writes
#              cmd/benchpush/scale.csv and .svg. BENCHSCALE="--scale 100,500" passes flags on. Linux.
# make bench-hostile   what agents feel while hostile callers are at the door. BENCHHOSTILE="--only 'deep JSON'"
#              passes flags on. Linux.
# make bench-peers   Portico beside nginx, Varnish, HAProxy, Caddy, Lura and gin on the same jobs, in under 10
#              minutes; writes cmd/benchpeers/results.md, .csv and .svg. BENCHPEERS="--rounds 9" passes flags on.
#              Linux.
# make bench-fleet   what reads and writes cost in memory, and with a store that replicas share.
#              BENCHFLEET="--agents 500" passes flags on.
# make build   a static binary in bin/

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.8.0
VULNDB      := https://vuln.go.dev
FUZZTIME    ?= 10s
BENCHTIME   ?= 1s
AGENTS      ?= 5000
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# The race detector needs a C compiler.
RACE = $(shell command -v gcc >/dev/null 2>&1 && echo -race)

CONFORMANCE := proxy/push/conformance
PEERS       := cmd/benchpeers/peers

.PHONY: test setup lint unit beside live fuzz vuln test-cometd test-browser test-prometheus test-fleet pictures bench bench-telemetry bench-push bench-scale bench-hostile bench-peers bench-fleet build clean

test: setup lint unit beside

# The suites of live programs mostly wait. The fuzz targets take what they leave of the processors, and no more,
# so that what the suites measure stays what it is.
beside:
	@$(MAKE) --no-print-directory -j2 NICELY='nice -n 19' live fuzz

live:
	@$(MAKE) --no-print-directory test-cometd
	@$(MAKE) --no-print-directory test-browser
	@$(MAKE) --no-print-directory test-prometheus
	@$(MAKE) --no-print-directory test-fleet

# Packages are installed only for root on Debian, or under CI. Elsewhere the line to run is printed,
# and the suite that needs them is left out by name.
setup:
	@if ! command -v redis-server >/dev/null 2>&1; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    apt-get update -qq && apt-get install -y -qq redis-server; \
	  elif [ -n "$$CI" ]; then \
	    echo "CI needs redis-server for the shared store and cannot install it" >&2; exit 1; \
	  else \
	    echo "left out: the shared store on a real server. It needs: sudo apt-get install redis-server"; \
	  fi; \
	fi
	@if ! command -v gcc >/dev/null 2>&1; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    apt-get update -qq && apt-get install -y -qq gcc libc6-dev; \
	  elif [ -n "$$CI" ]; then \
	    echo "CI needs gcc for the race detector and cannot install it" >&2; exit 1; \
	  else \
	    echo "left out: the race detector. It needs a C compiler: sudo apt-get install gcc libc6-dev"; \
	  fi; \
	fi
	go mod download

lint:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	cd $(PEERS) && go vet ./...

# Allocations are counted without the race detector, which makes some of its own. What takes 10 minutes on a machine
# with other work is slow, not stuck.
unit:
	go test $(RACE) -timeout 20m ./...
	go test -count=1 -run '^TestAllocations$$' ./proxy

# FUZZ=Settings fuzzes the targets whose names begin with FuzzSettings alone.
fuzz:
	$(NICELY) .ci/fuzz '$(FUZZTIME)' '$(FUZZ)'

vuln:
	@if curl -sf --max-time 20 -o /dev/null $(VULNDB)/index/db.json; then \
	  go run $(GOVULNCHECK) -db $(VULNDB) ./...; \
	else \
	  echo "left out: govulncheck. Its database $(VULNDB) does not answer, or there is no curl to ask it with"; \
	fi

# need installs the packages $(1) if one of the commands $(2) is missing, for the target $(3). A Node that did not
# come from Debian, and brings npm along, stays: Debian's cannot be installed beside it.
define need
	@missing() { for command in $(2); do command -v $$command >/dev/null 2>&1 || return 0; done; return 1; }; \
	if missing && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  packages="$(1)"; \
	  if command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1; then \
	    packages="$(filter-out nodejs npm,$(1))"; \
	  fi; \
	  apt-get update -qq && apt-get install -y -qq $$packages; \
	fi; \
	if missing && [ -n "$$CI" ]; then \
	  echo "CI needs $(1) for $(3) and cannot install them" >&2; exit 1; \
	fi; \
	if missing; then \
	  echo "left out: $(3). It needs: sudo apt-get install $(1)"; exit 0; \
	fi
endef

# conformance enters the folder of the push clients, with what they use.
conformance = cd $(CONFORMANCE) && npm ci --silent --no-audit --no-fund

test-cometd: build
	$(call need,nodejs npm,node npm,$@) && $(conformance) && \
	  node portico.mjs $(CURDIR)/bin/portico && node simulator.mjs $(CURDIR)/bin/portico

test-browser: build
	$(call need,nodejs npm chromium,node npm chromium,$@) && $(conformance) && \
	  CHROMIUM=$$(command -v chromium) node browser.mjs $(CURDIR)/bin/portico

test-prometheus: build
	$(call need,prometheus prometheus-alertmanager,prometheus promtool amtool,$@) && \
	  go build -o bin/loadmodel ./cmd/loadmodel && \
	  PROGRAMS=$(CURDIR)/bin go test -count=1 -run '^TestLive' ./dashboards

test-fleet: build
	$(call need,haproxy redis-server nodejs npm,haproxy redis-server redis-cli node npm,$@) && \
	  ($(conformance)) && \
	  PROGRAMS=$(CURDIR)/bin go test -count=1 -timeout 8m -run '^TestLive' ./cmd/internal/fleet

pictures: build
	$(call need,prometheus nodejs npm chromium,prometheus node npm chromium,$@) && \
	  go build -o bin/loadmodel ./cmd/loadmodel && \
	  (cd dashboards/pictures && npm install --ignore-scripts --legacy-peer-deps --no-package-lock --silent --no-audit --no-fund && node build.mjs) && \
	  PICTURES=yes PROGRAMS=$(CURDIR)/bin CHROMIUM=$$(command -v chromium) go test -count=1 -v -timeout 10m -run '^TestPictures$$' ./dashboards

bench:
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./proxy ./proxy/gateway ./proxy/icws ./proxy/upstream ./translate ./cache

# What a catalogue hit costs with more and more telemetry, in processor time, medians of one run. It fails
# where metrics cost more than they may.
bench-telemetry:
	go test -run '^$$' -bench Telemetry -benchtime 1x ./proxy

bench-push: build
	go run ./cmd/benchpush --portico bin/portico --agents $(AGENTS) $(BENCHPUSH)

bench-scale: build
	go run ./cmd/benchpush --portico bin/portico --scale 100,500,1000,3000,9000 \
	  --csv cmd/benchpush/scale.csv --svg cmd/benchpush/scale.svg $(BENCHSCALE)

bench-hostile: build
	@if ! command -v slowhttptest >/dev/null 2>&1 && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  apt-get update -qq && apt-get install -y -qq slowhttptest; \
	fi
	go run ./cmd/benchhostile --portico bin/portico $(BENCHHOSTILE)

# The program is built, not run by go run, or Ctrl-C would end go before the program has stopped its peers.
bench-peers: build
	go build -o bin/benchpeers ./cmd/benchpeers
	bin/benchpeers --portico bin/portico --out cmd/benchpeers $(BENCHPEERS)

bench-fleet: build
	$(call need,redis-server,redis-server redis-cli,$@) && \
	  go run ./cmd/benchfleet --portico bin/portico $(BENCHFLEET)

# adaptivestackstart=0 has every goroutine start with a stack of 2 KB, which is all that an idle websocket
# needs, and not with what the others have on average. No //go:debug line can say it. The Dockerfile says
# it too.
build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION) -X runtime.godebugDefault=adaptivestackstart=0" -o bin/portico ./cmd/portico

clean:
	rm -rf bin
