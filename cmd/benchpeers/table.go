package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"portico/cmd/internal/bench"
)

// markdown returns the report as tables: targets first, then all figures, then what they mean.
func (r *report) markdown() string {
	var out strings.Builder
	fmt.Fprintf(&out, "# Portico beside other gateways\n\nMeasured by `make bench-peers` on %s: %d rounds of %v turns, medians. %d processors (%s), %s, load average %s before and %s after. %s.\n\n",
		r.began.Format("2 January 2006"), r.settings.rounds, r.settings.duration, runtime.NumCPU(), processorName(), runtime.Version(), r.load, r.ended, r.versions)
	if len(r.absent) > 0 {
		fmt.Fprintf(&out, "Left out, not being installed: %s.\n\n", strings.Join(r.absent, ", "))
	}
	if failed := r.failed(); failed > 0 {
		fmt.Fprintf(&out, "Requests that failed: %d.\n\n", failed)
	}
	r.writeTargets(&out)
	for _, m := range modes {
		if r.settings.only != crowdsName {
			r.writeFigures(&out, m)
		}
	}
	r.writeCrowds(&out)
	out.WriteString(legend())
	return out.String()
}

// failed returns how many requests failed in all turns.
func (r *report) failed() int {
	total := 0
	for _, f := range r.figures {
		total += f.failed
	}
	return total
}

func (r *report) writeTargets(out *strings.Builder) {
	out.WriteString("| Portico | reach | pinned | unpinned | |\n|---|---|---:|---:|---|\n")
	for _, one := range r.results() {
		verdict := "missed"
		if one.met {
			verdict = "met"
		}
		if !one.measured {
			verdict = "not measured"
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", one.what, one.bound, one.figure, one.besides, verdict)
	}
}

func (r *report) writeFigures(out *strings.Builder, m mode) {
	fmt.Fprintf(out, "\n## %s\n\n| job | who | requests/s | p50 ms | p99 ms | µs a request | of Portico's | processors busy | memory MB | upstream calls |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
		strings.ToUpper(m.name[:1])+m.name[1:])
	for _, c := range contests {
		for _, e := range c.entrants {
			each, measured := r.median(m.name, c.name, e.name, cost)
			if !measured {
				continue
			}
			of := func(what reading) float64 {
				value, _ := r.median(m.name, c.name, e.name, what)
				return value
			}
			share := "1"
			if ratio, ok := r.ratio(m.name, c.name, e.name, cost); ok && e.name != porticoName {
				share = fmt.Sprintf("%.2f", 1/ratio)
			}
			fmt.Fprintf(out, "| %s | %s | %.0f | %.2f | %.2f | %.1f | %s | %.2f | %.0f | %.2f |\n",
				c.name, e.name, of(rate), of(p50), of(p99), each, share, of(busy), of(memory), of(upstream))
		}
	}
}

func (r *report) writeCrowds(out *strings.Builder) {
	if r.storm == nil {
		return
	}
	fmt.Fprintf(out, "\n## Crowds\n\n%d log-ins, %d a second: p50 %.1f ms, p99 %.1f ms, of which %.2f ms on average in the queue of the pace; %d refused with 503; the same calls made at the contact centre meanwhile: p50 %.1f ms, p99 %.1f ms.\n",
		r.storm.agents, arrivals, bench.Milliseconds(bench.Percentile(r.storm.took, 50)), bench.Milliseconds(bench.Percentile(r.storm.took, 99)), bench.Milliseconds(r.storm.queued), r.storm.refused,
		bench.Milliseconds(bench.Percentile(r.storm.direct, 50)), bench.Milliseconds(bench.Percentile(r.storm.direct, 99)))
	for _, one := range r.rushes {
		fmt.Fprintf(out, "%d first readers: slowest %.1f ms, contact centre itself %.1f ms, fetches %d; a loop that only writes finished answers: the slowest is %.1f ms late.\n",
			crowd, bench.Milliseconds(one.slowest), bench.Milliseconds(one.own), one.fetches, bench.Milliseconds(one.least))
	}
}

// legend says what the tables mean, and who could not do a job and did the nearest thing to it.
func legend() string {
	var out strings.Builder
	fmt.Fprintf(&out, `
wrk holds %d connections and asks again as soon as it is answered, so times are those of a peer at its limit. Pinned: the peer on one
processor, wrk and the contact centre on the other, which may be the busy one: then requests a second are its limit, not the peer's,
and "processors busy" of the peer is below 1. A peer's processes count together, for Varnish the one that writes its access log too. Memory
is the proportional share (PSS) after the turns. Ratios are medians of those within each round. Portico has sessions, metrics and
the access log on; all others have an access log and keep connections to the contact centre.

`, connections)
	said := map[string]bool{}
	for _, c := range contests {
		fmt.Fprintf(&out, "- %s: %s.", c.name, c.job)
		if c.note != "" {
			fmt.Fprintf(&out, " %s.", c.note)
		}
		for _, e := range c.entrants {
			if e.nearest != "" && !said[e.nearest] {
				fmt.Fprintf(&out, " %s %s.", whoDo(c, e.nearest), e.nearest)
				said[e.nearest] = true
			}
		}
		out.WriteString("\n")
	}
	out.WriteString("\nWhat an idle agent and a notification cost `make bench-push` measures, what telemetry costs `make bench-telemetry`.\n")
	return out.String()
}

// whoDo lists those who do the nearest thing to a job.
func whoDo(c contest, nearest string) string {
	var names []string
	for _, e := range c.entrants {
		if e.nearest == nearest {
			names = append(names, e.name)
		}
	}
	if len(names) == 1 {
		return names[0]
	}
	return "Each of " + strings.Join(names, ", ")
}

// csv returns a line for each turn.
func (r *report) csv() []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	lines := [][]string{{"mode", "contest", "peer", "round", "requests_per_second", "p50_ms", "p99_ms", "processor_us", "processors_busy", "upstream_calls", "memory_mb"}}
	for _, f := range r.figures {
		line := []string{f.mode, f.contest, f.peer, strconv.Itoa(f.round)}
		for _, of := range []reading{rate, p50, p99, cost, busy, upstream, memory} {
			line = append(line, strconv.FormatFloat(of(f), 'f', 3, 64))
		}
		lines = append(lines, line)
	}
	_ = w.WriteAll(lines) // a buffer takes everything
	return out.Bytes()
}

// versionsOf returns what is measured beside Portico, as Debian calls it.
func versionsOf(ctx context.Context) string {
	args := []string{"-W", "-f", "${Package} ${Version}, "}
	for _, p := range installed {
		args = append(args, p.packages...)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	said, _ := exec.CommandContext(ctx, "dpkg-query", args...).Output() // some may be missing
	return string(said) + "Lura and gin as cmd/benchpeers/peers/go.mod has them"
}
