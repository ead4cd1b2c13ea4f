package main

import (
	"bytes"
	"fmt"
	"html"
)

// Measures of the chart, in pixels: panels beside each other, two in a row.
const (
	panelWidth  = 420
	panelHeight = 220
	panelMargin = 48
)

// charted are the figures that are drawn.
var charted = []string{"memory, MB", "at work", "a collection, ms of a processor", "pause longest, ms"}

// chart returns an SVG with a panel for each figure, agents to the right.
func (g *growth) chart() []byte {
	var out bytes.Buffer
	width, height := 2*panelWidth, (len(charted)+1)/2*panelHeight
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12" fill="#222">`+"\n", width, height)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	drawn := 0
	for _, title := range charted {
		for _, c := range g.columns() {
			if c.title() == title {
				g.panel(&out, drawn%2*panelWidth, drawn/2*panelHeight, c)
				drawn++
			}
		}
	}
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// panel draws one figure in the panel whose corner is at x, y.
func (g *growth) panel(out *bytes.Buffer, x, y int, c column) {
	most, highest := float64(g.steps[len(g.steps)-1].agents), 0.0
	for _, one := range g.steps {
		highest = max(highest, c.of(one))
	}
	left, bottom := float64(x+panelMargin), float64(y+panelHeight-panelMargin)
	across := func(agents int) float64 { return left + float64(agents)/most*(panelWidth-2*panelMargin) }
	up := func(value float64) float64 { return bottom - value/max(highest, 1e-9)*(panelHeight-2*panelMargin) }
	title := c.title()
	if c.unit == "" {
		title = "processors " + title
	}
	write(out, left, float64(y)+24, "start", title)
	fmt.Fprintf(out, `<path d="M%.0f %.0fV%.0fH%.0f" fill="none" stroke="#999"/>`+"\n", left, up(highest), bottom, across(int(most)))
	write(out, left-6, up(highest)+4, "end", figure(highest))
	write(out, left-6, bottom+4, "end", "0")
	points := ""
	for _, one := range g.steps {
		points += fmt.Sprintf("%.1f,%.1f ", across(one.agents), up(c.of(one)))
	}
	fmt.Fprintf(out, `<polyline points="%s" fill="none" stroke="#4878a8" stroke-width="2"/>`+"\n", points)
	for i, one := range g.steps {
		fmt.Fprintf(out, `<circle cx="%.1f" cy="%.1f" r="3" fill="#4878a8"/>`+"\n", across(one.agents), up(c.of(one)))
		if i >= len(g.steps)-3 { // those before stand too close
			write(out, across(one.agents), bottom+18, "middle", fmt.Sprint(one.agents))
		}
	}
}

func write(out *bytes.Buffer, x, y float64, anchor, words string) {
	fmt.Fprintf(out, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, html.EscapeString(words))
}
