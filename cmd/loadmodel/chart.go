package main

import (
	"bytes"
	"fmt"
	"html"
	"slices"
	"strings"
)

// A layer is a part of a bar: some classes of requests, under one name and in one colour.
type layer struct {
	name    string
	colour  string
	classes []class
}

var layers = []layer{
	{"reads of agent state", "#4878a8", []class{stateReads}},
	{"log-ins, streams, subscriptions", "#e49444", []class{sessions, streams, subscriptions}},
	{"catalogue and access lists", "#85b6b2", []class{catalogue, access}},
	{"keep-alives", "#d1605e", []class{keepAlives}},
	{"other reads, probes", "#b8b0ac", []class{otherReads, probes}},
	{"state writes, activation calls", "#6a9f58", []class{writes, activations}},
}

// Measures of the chart, in pixels.
const (
	chartWidth  = 860
	nameWidth   = 130
	figureWidth = 90
	barHeight   = 22
	lineHeight  = 32
	margin      = 16
)

// chart returns an SVG with a bar for each mode and kind of contact centre: requests per agent-hour,
// CometD left out.
func (all report) chart() []byte {
	var body bytes.Buffer
	y := margin + 14
	text(&body, margin, y, "bold", fmt.Sprintf("Requests to the contact centres per agent-hour: %d agents, a shift of %s", all.agents, hours(shiftLength)))
	y = legend(&body, y+14)
	r := newRoster(all.agents)
	for _, k := range kinds {
		if r.count(k) > 0 {
			y = all.bars(&body, y+lineHeight, k, r.count(k))
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="13" fill="#222">`+"\n", chartWidth, y+margin)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", chartWidth, y+margin)
	out.Write(body.Bytes())
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// bars draws a kind's bars below y and returns where they end.
func (all report) bars(out *bytes.Buffer, y int, k kind, agents int) int {
	text(out, margin, y, "bold", fmt.Sprintf("%s, %d agents", strings.ToUpper(string(k)), agents))
	longest := 0.0
	for _, one := range all.played() {
		longest = max(longest, one.rate(agents, drawn(k, layers...)))
	}
	y += 10
	for _, one := range all.results {
		text(out, margin, y+barHeight-6, "normal", one.mode.title)
		if one.missing != "" {
			text(out, margin+nameWidth, y+barHeight-6, "normal", "not available in this version of Portico")
		} else {
			bar(out, y, k, one, agents, longest)
		}
		y += lineHeight
	}
	return y
}

func bar(out *bytes.Buffer, y int, k kind, one result, agents int, longest float64) {
	x := float64(margin + nameWidth)
	for _, l := range layers {
		rate := one.rate(agents, drawn(k, l))
		width := 0.0
		if longest > 0 {
			width = rate / longest * (chartWidth - 2*margin - nameWidth - figureWidth)
		}
		fmt.Fprintf(out, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"><title>%s: %s</title></rect>`+"\n",
			x, y, width, barHeight, l.colour, l.name, figure(rate))
		x += width
	}
	text(out, int(x)+6, y+barHeight-6, "normal", figure(one.rate(agents, drawn(k, layers...))))
}

// drawn passes what some layers show.
func drawn(k kind, some ...layer) func(key) bool {
	return func(one key) bool {
		return one.kind == k && slices.ContainsFunc(some, func(l layer) bool { return slices.Contains(l.classes, one.class) })
	}
}

// legend draws the names of the layers, three in a line, and returns where it ends.
func legend(out *bytes.Buffer, y int) int {
	for i, l := range layers {
		x := margin + i%3*270
		top := y + i/3*22
		fmt.Fprintf(out, `<rect x="%d" y="%d" width="12" height="12" fill="%s"/>`+"\n", x, top, l.colour)
		text(out, x+18, top+11, "normal", l.name)
	}
	return y + (len(layers)+2)/3*22
}

func text(out *bytes.Buffer, x, y int, weight, words string) {
	fmt.Fprintf(out, `<text x="%d" y="%d" font-weight="%s">%s</text>`+"\n", x, y, weight, html.EscapeString(words))
}
