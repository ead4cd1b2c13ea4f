package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A table is a Markdown table; its first row is the head.
type table [][]string

// write writes the table with its columns aligned, the first to the left and figures to the right.
func (t table) write(w io.Writer) {
	widths := make([]int, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for n, row := range t {
		for i, cell := range row {
			gap := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if i == 0 {
				fmt.Fprint(w, "| ", cell, gap)
				continue
			}
			fmt.Fprint(w, " | ", gap, cell)
		}
		fmt.Fprintln(w, " |")
		if n == 0 {
			rule(w, widths)
		}
	}
}

// rule writes the line below the head.
func rule(w io.Writer, widths []int) {
	for i, width := range widths {
		if i == 0 {
			fmt.Fprint(w, "|", strings.Repeat("-", width+2))
			continue
		}
		fmt.Fprint(w, "|", strings.Repeat("-", width+1), ":")
	}
	fmt.Fprintln(w, "|")
}

// print writes all tables, and what there is to say about them.
func (all report) print(w io.Writer) {
	r := newRoster(all.agents)
	fmt.Fprintf(w, "A shift of %v with %d agents, compressed into %v. Requests that reached the contact centres,\nper agent-hour of the shift.\n",
		hours(shiftLength), all.agents, all.duration)
	for _, k := range kinds {
		if r.count(k) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s, %d agents\n\n", strings.ToUpper(string(k)), r.count(k))
		all.table(k, r).write(w)
	}
	fmt.Fprint(w, "\nTargets\n\n")
	all.targets(r).write(w)
	fmt.Fprintln(w)
	for _, one := range all.results {
		if one.missing != "" {
			fmt.Fprintf(w, "%s was not played: %s\n", one.mode.title, one.missing)
			continue
		}
		fmt.Fprintf(w, "%s took %.1f s.\n", one.mode.title, one.wall.Seconds())
	}
}

func hours(d time.Duration) string { return fmt.Sprintf("%g hours", d.Hours()) }

// table returns the requests to one kind of contact centre.
func (all report) table(k kind, r roster) table {
	agents := r.count(k)
	t := table{all.head("requests per agent-hour")}
	for _, c := range reading {
		t = append(t, all.routesOf(k, c, agents)...)
	}
	t = append(t, all.row("**all but state writes**", agents, read(k)))
	t = append(t, all.shares("of direct use", agents, read(k))...)
	others := r.count(k, panel)
	t = append(t, all.row(fmt.Sprintf("the same of the %d agents without a CRM panel", others), others, but(panel, read(k))))
	t = append(t, all.shares("of direct use", others, but(panel, read(k)))...)
	t = append(t, all.routesOf(k, writes, agents)...)
	t = append(t, all.routesOf(k, activations, agents)...)
	if k == htcc {
		t = append(t, all.cells("POST /api/v2/notifications: CometD, number in this run", func(one result) string {
			return fmt.Sprint(one.count(isOf(k, notifications)))
		}))
	}
	return t
}

// routesOf returns a row for each route of a class that was called in some mode.
func (all report) routesOf(k kind, c class, agents int) table {
	var names []string
	for _, one := range routes[k] {
		names = append(names, one.String())
	}
	var t table
	for _, name := range append(names, unlisted) {
		pass := func(one key) bool { return one.kind == k && one.class == c && one.route == name }
		called := slices.ContainsFunc(all.results, func(r result) bool { return r.count(pass) > 0 })
		if called {
			t = append(t, all.row(name+": "+string(c), agents, pass))
		}
	}
	return t
}

func (all report) head(title string) []string {
	row := []string{title}
	for _, one := range all.results {
		row = append(row, one.mode.title)
	}
	return row
}

// cells returns a row with a cell for each mode; modes that were not played have none to show.
func (all report) cells(title string, cell func(result) string) []string {
	row := []string{title}
	for _, one := range all.results {
		if one.missing != "" {
			row = append(row, "-")
			continue
		}
		row = append(row, cell(one))
	}
	return row
}

func (all report) row(title string, agents int, pass func(key) bool) []string {
	return all.cells(title, func(one result) string { return figure(one.rate(agents, pass)) })
}

// shares returns the row of shares of direct use, if that was played and asked anything.
func (all report) shares(title string, agents int, pass func(key) bool) table {
	direct, played := all.direct()
	whole := direct.rate(agents, pass)
	if !played || whole == 0 {
		return nil
	}
	return table{all.cells(title, func(one result) string { return percent(one.rate(agents, pass) / whole) })}
}

func percent(share float64) string { return fmt.Sprintf("%.1f%%", 100*share) }

// figure writes a rate with as many digits as it is worth.
func figure(rate float64) string {
	switch {
	case rate == 0:
		return "0"
	case rate < 0.01:
		return fmt.Sprintf("%.4f", rate)
	case rate < 100:
		return fmt.Sprintf("%.2f", rate)
	}
	return fmt.Sprintf("%.0f", rate)
}
